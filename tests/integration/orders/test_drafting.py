"""Tickets drafted from the live market, as the command line makes them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from orders.domain.errors import BadTicket
from orders.domain.shapes import Shape
from orders.models import ComplexOrder
from orders.selectors.drafting import Wish, draft_ticket
from orders.selectors.picking import Picking
from strategies.domain.catalog import ImpossibleTrade, VerticalKind
from strategies.domain.checks import find_problems
from strategies.domain.new_york import exchange_date
from strategies.domain.symbols import PutCall, parse_option
from strategies.domain.tickets import Instruction, OrderType, Strategy

TODAY = exchange_date(timezone.now())
SHAPE = Shape(
    strategy=Strategy.IRON_CONDOR,
    underlying="SPX",
    kind=VerticalKind.BULL_PUT,
    side=PutCall.PUT,
    instruction=Instruction.BUY_TO_OPEN,
)
SHARES = replace(SHAPE, strategy=Strategy.EQUITY, underlying="AAPL", instruction=Instruction.BUY)
SHAPES = [
    SHAPE,
    SHARES,
    replace(SHAPE, strategy=Strategy.SINGLE_OPTION, underlying="SPY"),
    *(replace(SHAPE, strategy=Strategy.VERTICAL, kind=kind) for kind in VerticalKind),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.strategy} {shape.kind}")
@pytest.mark.parametrize("limit", ["natural", "mid"])
def test_a_drafted_ticket_has_nothing_wrong_with_it(fleet, shape, limit):
    ticket = draft_ticket(Wish(shape, contracts=2, limit=limit), today=TODAY).ticket

    assert find_problems(ticket, today=TODAY) == ()
    assert ticket.contracts == 2
    assert ticket.order_type is OrderType.LIMIT


def test_a_ticket_at_the_natural_price_fills_at_once(fleet):
    order = fleet.broadcast(draft_ticket(Wish(SHAPE, 1, "natural"), today=TODAY).ticket)

    fleet.poll()
    assert fleet.statuses(order) == ["FILLED"] * 3


def test_days_delta_and_width_choose_expiration_and_strikes(fleet):
    near = Picking(days=20, delta=Decimal("0.30"), width=Decimal(25))
    legs = draft_ticket(Wish(SHAPE, 1, "mid", picking=near), today=TODAY).ticket.legs
    put_wing, put_body, call_body, call_wing = (parse_option(leg.symbol) for leg in legs)

    assert (put_wing.expiration - TODAY).days >= 20
    assert put_body.strike - put_wing.strike == call_wing.strike - call_body.strike == 25
    far = draft_ticket(
        Wish(SHAPE, 1, "mid", picking=replace(near, delta=Decimal("0.05"))), today=TODAY
    )
    assert parse_option(far.ticket.legs[1].symbol).strike < put_body.strike


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"limit": "cheap"}, "limit"),
        ({"expiration": date(2020, 1, 17)}, "expiration"),
        ({"strikes": (Decimal(6000), Decimal(6005))}, "strikes"),
    ],
)
def test_a_wish_that_cannot_be_met_names_what_is_wrong(fleet, changes, field):
    wish = replace(Wish(SHAPE, 1, "natural"), **changes)

    with pytest.raises(BadTicket) as refused:
        draft_ticket(wish, today=TODAY)

    assert [problem.field for problem in refused.value.problems] == [field]


def test_strikes_in_the_wrong_order_are_refused_with_the_catalogs_reason(fleet):
    strikes = tuple(Decimal(strike) for strike in (6605, 6310, 6305, 6610))

    with pytest.raises(ImpossibleTrade, match="strike"):
        draft_ticket(replace(Wish(SHAPE, 1, "mid"), strikes=strikes), today=TODAY)


@pytest.mark.usefixtures("queue")
def test_the_command_reports_what_it_sent_and_to_whom(
    fleet, capsys, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as rings:
        call_command(
            "broadcast",
            "--strategy",
            "equity",
            "--underlying",
            "AAPL",
            "--wait",
            "0",
            "--page",
            "x",
        )

    order = ComplexOrder.objects.get()
    assert len(rings) == 1
    report = capsys.readouterr().out
    assert f"Broadcast #{order.pk}  Shares AAPL" in report
    assert "3 ready" in report


def test_the_command_says_what_is_wrong_and_leaves_no_row(fleet, queue):
    with pytest.raises(CommandError, match="limit: "):
        call_command("broadcast", "--limit", "1.23")

    assert not ComplexOrder.objects.exists()
