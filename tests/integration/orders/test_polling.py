"""Which reads the beats make, what they cost, and what becomes of those that fail."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from brokerage.schwab.exchange import Reply
from orders.services import polling
from orders.services.sweeping import sweep
from strategies.domain.catalog import single_option
from strategies.domain.tickets import Duration, Instruction, Strategy
from tests.integration.orders.hands import Wire, force, one, only


def option(fleet, condor, contracts=1):
    """Buy one of the condor's puts, far above its price."""
    structure = single_option(condor.legs[1].symbol, Instruction.BUY_TO_OPEN)
    return fleet.shares(
        contracts,
        limit=Decimal("90.00"),
        strategy=Strategy.SINGLE_OPTION,
        legs=structure.legs,
    )


def test_one_read_per_login_covers_all_its_accounts_and_orders(family):
    family.broker.market(fills="manual")
    for contracts in (1, 2, 3):
        family.broadcast(family.shares(contracts))
    family.poll()
    wire = Wire(family.broker)

    stocks, options = family.poll()

    assert (stocks.watched, stocks.calls) == (18, 2)
    assert (options.watched, options.calls) == (0, 0)
    assert wire.reads == ["/trader/v1/orders"] * 2


def test_a_new_order_is_read_once_by_its_id_and_in_the_lists_from_then_on(fleet, by_hand):
    order = fleet.broadcast(fleet.shares())
    wire = Wire(fleet.broker)

    fleet.poll()
    by_id = sorted(path.rpartition("/")[2] for path in wire.reads)
    fleet.poll()

    assert by_id == sorted(child.broker_order_id for child in fleet.children(order))
    assert wire.reads[3:] == ["/trader/v1/orders"] * 3


def test_terminal_orders_are_never_asked_about_again(fleet):
    wire = Wire(fleet.broker)
    fleet.broadcast(fleet.shares())
    fleet.poll()
    assert len(wire.reads) == 3

    stocks, _ = fleet.poll()

    assert (stocks.watched, stocks.calls) == (0, 0)
    assert len(wire.reads) == 3


def test_only_logins_with_a_working_order_are_read(fleet, by_hand):
    fleet.broadcast(fleet.shares(), accounts=fleet.accounts[1:2])

    stocks, _ = fleet.poll()

    assert stocks.calls == 1


def test_stocks_and_options_are_read_apart(fleet, by_hand, condor):
    fleet.broadcast(fleet.shares())
    fleet.broadcast(option(fleet, condor), accounts=fleet.accounts[:1])
    fleet.broadcast(condor, accounts=fleet.accounts[:2])
    fleet.poll()

    stocks = polling.sync_stock_orders(gateway=fleet.gateway)
    options = polling.sync_option_orders(gateway=fleet.gateway)

    assert (stocks.watched, stocks.calls) == (3, 3)
    assert (options.watched, options.calls) == (3, 2)


def test_an_idle_beat_asks_the_database_once(fleet, django_assert_num_queries):
    fleet.broadcast(fleet.shares())
    fleet.poll()

    with django_assert_num_queries(1):
        polling.sync_stock_orders(gateway=fleet.gateway)


def test_a_beat_that_learns_nothing_writes_nothing(fleet, by_hand):
    order = fleet.broadcast(fleet.shares())
    fleet.poll()
    events = AuditEvent.objects.count()

    stocks, _ = fleet.poll()

    assert (stocks.watched, stocks.changed) == (3, 0)
    assert AuditEvent.objects.count() == events
    assert fleet.statuses(order) == ["WORKING"] * 3


@pytest.mark.parametrize(
    "fault", ["http_500", "html_403", "bad_json", "truncated", "cut_list", "drop_after", "http_401"]
)
def test_a_login_that_cannot_be_read_keeps_no_other_from_being_read(fleet, fault, caplog):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares())
    fleet.poll()
    for child in fleet.children(order):
        fleet.broker.fill(child.broker_order_id)
    fleet.broker.fault(fault, method="GET", path="/orders", times=1)

    with caplog.at_level(logging.WARNING):
        stocks, _ = fleet.poll()

    assert len(stocks.silent_logins) == 1
    assert sorted(fleet.statuses(order)) == ["FILLED", "FILLED", "WORKING"]
    assert "order read failed" in caplog.text
    fleet.poll()
    assert fleet.statuses(order) == ["FILLED"] * 3


def test_a_slow_login_keeps_no_other_from_being_read(impatient_fleet):
    fleet = impatient_fleet
    order = fleet.broadcast(fleet.shares())
    fleet.broker.fault("never_answer_after", method="GET", path="/orders")

    stocks, _ = fleet.poll()

    assert stocks.silent_logins == ["No answer in time"]
    assert sorted(fleet.statuses(order)) == ["FILLED", "FILLED", "WORKING"]


def test_a_login_without_a_token_is_named_and_the_others_are_read(fleet):
    order = fleet.broadcast(fleet.shares())
    fleet.logins[0].token.delete()

    stocks, _ = fleet.poll()

    assert stocks.silent_logins == [f"The login {fleet.logins[0].pk} has no usable token"]
    assert fleet.statuses(order) == ["WORKING", "FILLED", "FILLED"]


def test_an_order_that_a_list_does_not_show_yet_is_read_by_its_id(fleet):
    fleet.broker.market(fills="manual")
    fleet.broker.fault("late_listing", method="POST", path="/orders", delay_ms=60_000)
    order, child = one(fleet, fleet.shares())
    fleet.poll()
    fleet.broker.fill(child.broker_order_id)
    wire = Wire(fleet.broker)

    fleet.poll()

    hash_value = fleet.accounts[0].hash_value
    assert wire.reads == [
        "/trader/v1/orders",
        f"/trader/v1/accounts/{hash_value}/orders/{child.broker_order_id}",
    ]
    assert only(fleet, order).status == "FILLED"


def test_an_order_that_no_read_shows_is_never_declared_gone(fleet, by_hand):
    order, child = one(fleet, fleet.shares())
    fleet.poll()
    force(child, broker_order_id="999999999")

    for _ in range(3):
        stocks, _ = fleet.poll()
        assert len(stocks.silent_logins) == 1
    sweep(now=timezone.now() + timedelta(hours=1))

    assert only(fleet, order).status == "WORKING"


def test_an_order_older_than_a_list_can_reach_is_read_by_its_id(fleet):
    two_months = timedelta(days=61)
    fleet.broker.clock(-two_months.total_seconds())
    order, child = one(fleet, fleet.shares(duration=Duration.GOOD_TILL_CANCEL))
    force(child, sent_at=timezone.now() - two_months)
    fleet.broker.clock(0)
    force(child, broker_status="WORKING")  # it was read in those days
    wire = Wire(fleet.broker)

    fleet.poll()

    assert [path.rpartition("/")[2] for path in wire.reads] == [child.broker_order_id]
    assert only(fleet, order).status == "FILLED"


class AbsurdPrices:
    """A gateway behind which one order is shown with a price that no column can hold."""

    def __init__(self, gateway):
        self._gateway = gateway

    def stream(self, calls):
        for batch in self._gateway.stream(calls):
            yield [
                (index, self._spoil(exchange) if index == 0 else exchange)
                for index, exchange in batch
            ]

    def _spoil(self, exchange):
        shown = json.loads(exchange.reply.body)
        for leg in shown["orderActivityCollection"][0]["executionLegs"]:
            leg["price"] = 12345678901234567890
        return replace(exchange, reply=Reply(200, {}, json.dumps(shown).encode()))


def test_one_read_that_cannot_be_kept_hides_no_other(fleet, caplog):
    order = fleet.broadcast(fleet.shares())

    with caplog.at_level(logging.ERROR):
        polling.sync_stock_orders(gateway=AbsurdPrices(fleet.gateway))

    assert sorted(fleet.statuses(order)) == ["FILLED", "FILLED", "WORKING"]
    assert "cannot be kept" in caplog.text
    fleet.poll()
    assert fleet.statuses(order) == ["FILLED"] * 3
