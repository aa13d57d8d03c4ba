"""What the reads of an order make of it: fills, prices, ends; never backwards."""

from dataclasses import replace
from decimal import Decimal

from django.utils import timezone

from accounts.models import AuditEvent
from orders.models import AccountOrder, LegFill
from orders.services.applying import apply_reading
from tests.integration.orders.hands import figures, one, only, raw_of, reading, shown_by, trail


def test_a_filled_condor_has_its_net_price_and_every_legs_average(fleet, condor):
    order, child = one(fleet, condor)

    fleet.poll()

    child.refresh_from_db()
    order.refresh_from_db()
    raw = raw_of(fleet, child)
    paid = {
        leg["legId"]: Decimal(str(leg["price"]))
        for leg in raw["orderActivityCollection"][0]["executionLegs"]
    }
    assert (child.status, order.status) == ("FILLED", "FILLED")
    assert figures(child) == ("FILLED", 1, 0)
    assert [leg.average_price for leg in child.legs.all()] == list(paid.values())
    buys = [leg.instruction.is_buy for leg in condor.legs]
    net = sum((-p if buy else p) for p, buy in zip(paid.values(), buys, strict=True))
    assert child.net_price == net >= condor.limit


def test_filled_shares_show_what_was_paid(fleet, by_hand):
    _, child = one(fleet, fleet.shares(10, limit=Decimal(500)))
    fleet.broker.fill(child.broker_order_id, quantity=4, price=210.5)
    fleet.broker.fill(child.broker_order_id, quantity=6, price=211)

    fleet.poll()

    child.refresh_from_db()
    assert (child.status, child.filled, child.net_price) == (
        "FILLED",
        Decimal(10),
        Decimal("210.8"),
    )
    assert child.legs.get().average_price == Decimal("210.8")
    assert LegFill.objects.count() == 2


def test_a_partly_filled_order_works_on_and_is_filled_by_the_last_part(fleet, by_hand):
    order, child = one(fleet, fleet.shares(10, limit=Decimal(500)))
    fleet.broker.fill(child.broker_order_id, quantity=4, price=210)
    fleet.poll()
    fleet.poll()

    child.refresh_from_db()
    order.refresh_from_db()
    assert figures(child) == ("WORKING", 4, 6)
    assert (child.net_price, order.status) == (Decimal(210), "PARTIAL")
    assert LegFill.objects.count() == 1

    fleet.broker.fill(child.broker_order_id, price=210)
    fleet.poll()

    child.refresh_from_db()
    order.refresh_from_db()
    assert figures(child) == ("FILLED", 10, 0)
    assert order.status == "FILLED"
    assert LegFill.objects.count() == 2


def test_the_fault_of_a_partial_fill_is_seen_as_one(fleet):
    fleet.broker.fault("partial_fill", method="POST", path="/orders", body={"quantity": 3})

    _, child = one(fleet, fleet.shares(10))
    fleet.poll()

    child.refresh_from_db()
    assert figures(child) == ("WORKING", 3, 7)


def test_a_read_that_is_repeated_or_late_changes_nothing(fleet, by_hand, condor):
    _, child = one(fleet, replace(condor, contracts=3))
    untouched = shown_by(fleet, child)
    fleet.broker.fill(child.broker_order_id, quantity=1)
    early = shown_by(fleet, child)
    queued = replace(early, status="QUEUED", status_description="On its way")
    fleet.broker.fill(child.broker_order_id, quantity=1)
    later = shown_by(fleet, child)
    fleet.poll()
    before = AccountOrder.objects.filter(pk=child.pk).values().get()
    events = AuditEvent.objects.count()

    for late in (early, untouched, queued, later, early, later):
        assert apply_reading([(child.pk, late)], now=timezone.now()) == set()

    assert AccountOrder.objects.filter(pk=child.pk).values().get() == before
    assert before["filled"] == 2
    assert LegFill.objects.count() == 8
    assert AuditEvent.objects.count() == events


def test_a_terminal_order_never_changes_again(fleet, by_hand):
    order, child = one(fleet, fleet.shares())
    live = shown_by(fleet, child)
    fleet.broker.fill(child.broker_order_id)
    fleet.poll()
    child.refresh_from_db()
    assert child.status == "FILLED"

    assert apply_reading([(child.pk, live)], now=timezone.now()) == set()

    assert only(fleet, order).status == "FILLED"


def test_a_filled_order_whose_fills_are_not_listed_yet_works_on(fleet):
    order, child = one(fleet, fleet.shares())
    raw = raw_of(fleet, child)
    assert raw["status"] == "FILLED"
    without = {name: value for name, value in raw.items() if name != "orderActivityCollection"}

    apply_reading([(child.pk, reading(without))], now=timezone.now())
    assert only(fleet, order).status == "WORKING"
    fleet.poll()

    assert only(fleet, order).status == "FILLED"


def test_fills_find_their_legs_by_symbol_whatever_the_broker_numbers_them(fleet, condor):
    order, child = one(fleet, condor)
    raw = raw_of(fleet, child)
    legs = raw["orderLegCollection"]
    numbers = {leg["legId"]: leg["legId"] % 4 + 1 for leg in legs}
    for leg in [*legs, *raw["orderActivityCollection"][0]["executionLegs"]]:
        leg["legId"] = numbers[leg["legId"]]
    raw["orderLegCollection"] = legs[::-1]

    apply_reading([(child.pk, reading(raw))], now=timezone.now())
    numbered_anew = only(fleet, order)
    other = fleet.broadcast(condor, accounts=fleet.accounts[1:2])
    fleet.poll()

    assert numbered_anew.status == "FILLED"
    assert numbered_anew.net_price == only(fleet, other).net_price


def test_a_cancel_keeps_what_was_filled(fleet, by_hand):
    order, child = one(fleet, fleet.shares(10, limit=Decimal(500)))
    fleet.broker.fill(child.broker_order_id, quantity=4, price=210)
    raw = raw_of(fleet, child)
    raw |= {"status": "CANCELED", "remainingQuantity": 0.0, "closeTime": raw["enteredTime"]}

    apply_reading([(child.pk, reading(raw))], now=timezone.now())

    child.refresh_from_db()
    order.refresh_from_db()
    assert figures(child) == ("CANCELED", 4, 6)
    assert child.net_price == Decimal(210)
    assert child.reason == "The order was canceled at the broker."
    assert order.status == "PARTIAL"


def test_a_cancel_whose_fills_are_not_listed_yet_works_on(fleet, by_hand):
    _, child = one(fleet, fleet.shares(10))
    assert child.broker_order_id is not None
    fleet.broker.fill(child.broker_order_id, quantity=4)
    listed = fleet.broker.broker.books.orders[int(child.broker_order_id)]
    fleet.broker.broker.trading.cancel(listed, now=fleet.broker.broker.now)
    raw = raw_of(fleet, child)
    fills = raw.pop("orderActivityCollection")
    apply_reading([(child.pk, reading(raw))], now=timezone.now())
    child.refresh_from_db()
    assert figures(child) == ("WORKING", 4, 6)

    raw["orderActivityCollection"] = fills
    apply_reading([(child.pk, reading(raw))], now=timezone.now())
    child.refresh_from_db()
    assert figures(child) == ("CANCELED", 4, 6)
    assert [int(leg.filled) for leg in child.legs.all()] == [4]


def test_an_order_that_ends_unfilled_at_the_broker_expires(fleet, by_hand, condor):
    order, child = one(fleet, fleet.shares(limit=Decimal(1)))
    raw = raw_of(fleet, child) | {"status": "EXPIRED", "statusDescription": "Day order ended"}

    apply_reading([(child.pk, reading(raw))], now=timezone.now())

    child.refresh_from_db()
    order.refresh_from_db()
    assert (figures(child), child.reason) == (("EXPIRED", 0, 10), "Day order ended")
    assert order.status == "CLOSED_OUT"


def test_an_order_the_broker_replaces_by_itself_needs_the_agent(fleet, by_hand):
    order, child = one(fleet, fleet.shares(limit=Decimal(1)))
    fleet.broker.replace(child.broker_order_id)

    fleet.poll()

    child.refresh_from_db()
    order.refresh_from_db()
    assert (child.status, child.needs_agent) == ("REPLACED", True)
    assert "is being looked for" in child.reason
    assert order.status == "NEEDS_AGENT"


def test_a_status_nobody_has_heard_of_is_kept_raw_and_works_on(fleet):
    order, child = one(fleet, fleet.shares())
    fleet.broker.fault("unknown_status", method="GET")

    fleet.poll()
    child.refresh_from_db()
    assert (child.status, child.broker_status) == ("WORKING", "PENDING_VENUE_REVIEW")
    fleet.poll()

    assert only(fleet, order).status == "FILLED"


def test_a_status_longer_than_its_column_stops_no_poll(fleet):
    order, child = one(fleet, fleet.shares())
    long = raw_of(fleet, child) | {"status": "PENDING_" * 20, "statusDescription": "Wait. " * 99}

    assert apply_reading([(child.pk, reading(long))], now=timezone.now()) == {child.pk}
    assert apply_reading([(child.pk, reading(long))], now=timezone.now()) == set()
    fleet.poll()

    assert only(fleet, order).status == "FILLED"


def test_a_fill_without_a_time_is_kept_all_the_same(fleet):
    order, child = one(fleet, fleet.shares())
    raw = raw_of(fleet, child)
    for leg in raw["orderActivityCollection"][0]["executionLegs"]:
        del leg["time"]
    del raw["closeTime"], raw["enteredTime"]

    apply_reading([(child.pk, reading(raw))], now=timezone.now())

    assert only(fleet, order).status == "FILLED"


def test_what_the_broker_said_is_recorded_beside_the_steps(fleet, by_hand):
    _, child = one(fleet, fleet.shares(10, limit=Decimal(500)))
    fleet.poll()
    fleet.broker.fill(child.broker_order_id, quantity=4, price=210)
    fleet.poll()
    fleet.broker.fill(child.broker_order_id, price=210)
    fleet.poll()

    events = AuditEvent.objects.filter(subject=f"accountorder:{child.pk}", kind="broker")
    said = [
        (event.old, event.new, Decimal(event.data["filled"])) for event in events.order_by("id")
    ]
    assert said == [
        ("", "WORKING", Decimal(0)),
        ("WORKING", "WORKING", Decimal(4)),
        ("WORKING", "FILLED", Decimal(10)),
    ]
    assert trail(child)[-1] == ("WORKING", "FILLED")
