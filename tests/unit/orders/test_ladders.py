"""A ladder moves a limit towards being filled, on tick, and never past its bound."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orders.domain.ladders import MOST_STEPS, Ladder, check_ladder, climbs, next_limit
from strategies.domain.catalog import iron_condor, share_order
from strategies.domain.tickets import (
    Duration,
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Strategy,
    Ticket,
)
from strategies.domain.ticks import on_tick, round_to_tick, tick_for

CONDOR = iron_condor(
    root="SPXW",
    expiration=date(2025, 12, 5),
    put_wing=Decimal(6795),
    put_body=Decimal(6800),
    call_body=Decimal(7200),
    call_wing=Decimal(7205),
)


def condor(effect=PriceEffect.NET_CREDIT, limit="2.00"):
    return Ticket(
        strategy=Strategy.IRON_CONDOR,
        legs=CONDOR.legs,
        order_type=OrderType.LIMIT,
        contracts=1,
        limit=Decimal(limit),
        price_effect=effect,
    )


def option(instruction=Instruction.BUY_TO_OPEN, limit="2.90"):
    """An option whose ticks are 0.05 below three dollars and 0.10 above."""
    return Ticket(
        strategy=Strategy.SINGLE_OPTION,
        legs=(Leg("XYZ   251205C00072000", instruction),),
        order_type=OrderType.LIMIT,
        contracts=1,
        limit=Decimal(limit),
    )


def shares(instruction=Instruction.BUY, limit="1.50"):
    return Ticket(
        strategy=Strategy.EQUITY,
        legs=share_order("AAPL", instruction).legs,
        order_type=OrderType.LIMIT,
        contracts=10,
        limit=Decimal(limit),
    )


def ladder(step="0.05", bound="1.50", every_s=10):
    return Ladder(Decimal(step), every_s, Decimal(bound))


def limits(ticket, moving):
    """Climb to the end; return every limit on the way."""
    found = []
    while (limit := next_limit(ticket, moving)) is not None:
        found.append(limit)
        ticket = replace(ticket, limit=limit)
    return [str(limit) for limit in found]


def faults(ticket, moving):
    return [(problem.field, problem.code) for problem in check_ladder(ticket, moving)]


TICKETS = st.sampled_from(
    [
        option(),
        option(Instruction.SELL_TO_CLOSE),
        shares(),
        shares(Instruction.SELL),
        condor(),
        condor(PriceEffect.NET_DEBIT),
    ]
)
CENTS = st.integers(1, 800).map(lambda cents: Decimal(cents) / 100)


def on_its_tick(ticket, price):
    symbols = [leg.symbol for leg in ticket.legs]
    tick = tick_for(ticket.strategy, symbols, price)
    return max(round_to_tick(price, tick, up=True), tick)


@given(TICKETS, CENTS, CENTS, CENTS)
def test_every_step_is_on_tick_nearer_to_being_filled_and_not_past_the_bound(
    ticket, start, bound, step
):
    ticket = replace(ticket, limit=on_its_tick(ticket, start))
    bound = on_its_tick(ticket, bound)
    moving = Ladder(step, 10, bound)
    assume(not any(field == "ladder.bound" for field, _ in faults(ticket, moving)))

    before = ticket.limit
    for text in limits(ticket, moving):
        limit = Decimal(text)
        symbols = [leg.symbol for leg in ticket.legs]
        assert on_tick(limit, tick_for(ticket.strategy, symbols, limit))
        if climbs(ticket):
            assert before < limit <= bound
        else:
            assert before > limit >= bound
        before = limit
    assert before == bound


def test_a_credit_falls_to_its_floor():
    assert limits(condor(), ladder("0.15", "1.60")) == ["1.85", "1.70", "1.60"]


def test_a_debit_climbs_to_its_cap():
    ticket = condor(PriceEffect.NET_DEBIT)

    assert limits(ticket, ladder("0.10", "2.25")) == ["2.10", "2.20", "2.25"]


def test_a_purchase_climbs_and_a_sale_falls():
    assert limits(shares(), ladder("0.20", "1.80")) == ["1.70", "1.80"]
    assert limits(shares(Instruction.SELL), ladder("0.20", "1.20")) == ["1.30", "1.20"]


def test_where_ticks_grow_coarser_a_step_goes_to_the_next_one():
    assert limits(option(), ladder("0.05", "3.20")) == ["2.95", "3.00", "3.10", "3.20"]
    falling = option(Instruction.SELL_TO_CLOSE, limit="3.20")
    assert limits(falling, ladder("0.05", "2.90")) == ["3.10", "3.00", "2.95", "2.90"]


def test_at_its_bound_and_beyond_there_is_no_next_limit():
    assert next_limit(shares(limit="1.50"), ladder(bound="1.50")) is None
    assert next_limit(shares(limit="1.60"), ladder(bound="1.50")) is None
    assert next_limit(replace(shares(), limit=None), ladder()) is None


def test_a_good_ladder_has_no_faults():
    assert faults(shares(), ladder(bound="1.80")) == []
    assert faults(condor(), ladder(bound="1.60", every_s=3)) == []
    everlasting = replace(shares(), duration=Duration.GOOD_TILL_CANCEL)
    assert faults(everlasting, ladder(bound="11.50", every_s=3600)) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"step": "0"}, ("ladder.step", "not_positive")),
        ({"step": "-0.05"}, ("ladder.step", "not_positive")),
        ({"step": "NaN"}, ("ladder.step", "not_positive")),
        ({"step": "0.07"}, ("ladder.step", "off_tick")),
        ({"bound": "2.00"}, ("ladder.bound", "wrong_side")),
        ({"bound": "2.50"}, ("ladder.bound", "wrong_side")),
        ({"bound": "1.52"}, ("ladder.bound", "off_tick")),
        ({"bound": "0"}, ("ladder.bound", "not_positive")),
        ({"bound": "NaN"}, ("ladder.bound", "not_finite")),
        ({"every_s": 2}, ("ladder.every_s", "out_of_range")),
        ({"every_s": 3601}, ("ladder.every_s", "out_of_range")),
    ],
    ids=lambda given: "=".join(map(str, next(iter(given.items())))) if type(given) is dict else "",
)
def test_a_ladder_that_cannot_move_the_limit_is_refused(changes, fault):
    assert faults(condor(), ladder(**changes)) == [fault]


def test_all_faults_are_named_at_once():
    assert faults(condor(), ladder("0", "9.00", every_s=1)) == [
        ("ladder.step", "not_positive"),
        ("ladder.every_s", "out_of_range"),
        ("ladder.bound", "CREDIT_OVER_WIDTH"),
    ]


def test_more_steps_than_anybody_watches_are_refused():
    most = Decimal("1.50") + MOST_STEPS * Decimal("0.01")

    assert faults(shares(), ladder("0.01", str(most))) == []
    assert faults(shares(), ladder("0.01", str(most + Decimal("0.01")))) == [
        ("ladder.step", "too_many_steps")
    ]


def test_a_cap_as_high_as_the_width_of_what_is_bought_is_refused():
    (problem,) = check_ladder(
        replace(
            condor(PriceEffect.NET_DEBIT),
            legs=tuple(
                replace(leg, instruction=Instruction("BUY_TO_OPEN"))
                if leg.instruction == Instruction.SELL_TO_OPEN
                else replace(leg, instruction=Instruction.SELL_TO_OPEN)
                for leg in CONDOR.legs
            ),
        ),
        ladder(bound="5.00"),
    )

    assert problem.code == "beyond_width"
    assert problem.message.startswith("The cap of 5.00 must be below the width of 5.00")


@pytest.mark.parametrize(
    "ticket",
    [
        replace(shares(), order_type=OrderType.MARKET, limit=None),
        replace(shares(), order_type=OrderType.STOP_LIMIT, stop=Decimal(1)),
        replace(shares(), duration=Duration.FILL_OR_KILL),
        replace(shares(), duration=Duration.IMMEDIATE_OR_CANCEL),
    ],
    ids=["market", "stop limit", "fill or kill", "immediate"],
)
def test_only_a_limit_order_that_lasts_has_a_ladder(ticket):
    assert faults(ticket, ladder(bound="1.80")) == [("ladder", "not_allowed")]
