"""What becomes of orders of unknown outcome: found at the broker, or proved absent."""

import pytest

from orders.services.reconciling import reconcile
from tests.integration.orders.hands import Wire, force, hit, only, seconds_from_now, trail
from tests.integration.orders.looking import (
    by_hand,
    grow_quiet,
    look,
    show,
    unknown,
    unknown_and_hidden,
)

BROKEN_READS = [
    "http_500",
    "html_403",
    "http_401",
    "http_429",
    "bad_json",
    "truncated",
    "cut_list",
    "drop_before",
    "drop_after",
    "redirect",
]
LOST = ["drop_after", "http_500_after", "no_location", "truncated"]


@pytest.mark.parametrize("fault", LOST)
def test_an_order_whose_answer_was_lost_is_found_by_what_was_sent(fleet, fault):
    order = unknown(fleet, fault)
    (placed,) = fleet.broker.orders()

    result = look(fleet)

    child = only(fleet, order)
    assert result.found == 1
    assert (child.status, child.broker_order_id) == ("FILLED", str(placed["orderId"]))
    assert trail(child)[-2:] == [("UNKNOWN", "WORKING"), ("WORKING", "FILLED")]
    assert len(fleet.broker.orders()) == 1


def test_an_order_is_found_at_once_and_its_siblings_are_not_asked_about(fleet):
    hit(fleet, "drop_after")
    order = fleet.broadcast(fleet.shares())
    wire = Wire(fleet.broker)

    reconcile(gateway=fleet.gateway)

    assert wire.reads == [f"/trader/v1/accounts/{fleet.accounts[0].hash_value}/orders"]
    assert fleet.statuses(order) == ["FILLED", "WORKING", "WORKING"]


def test_three_complete_lists_after_the_quiet_period_prove_an_absence(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)

    look(fleet, times=2)
    assert fleet.statuses(order) == ["UNKNOWN"]
    result = look(fleet)

    child = only(fleet, order)
    order.refresh_from_db()
    assert result.absent == 1
    assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "PROVED_ABSENT")
    assert order.status == "CLOSED_OUT"
    assert fleet.broker.orders() == []


def test_lists_read_in_the_quiet_period_prove_nothing(fleet):
    order = unknown(fleet)

    look(fleet, times=5)

    child = only(fleet, order)
    assert (child.status, child.clean_reads) == ("UNKNOWN", 0)


@pytest.mark.parametrize("fault", BROKEN_READS)
def test_a_list_that_is_not_whole_proves_nothing(fleet, fault):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    look(fleet, times=2)
    fleet.broker.fault(fault, method="GET", path="/orders")

    result = look(fleet)

    assert len(result.incomplete) == 1
    assert only(fleet, order).clean_reads == 2
    assert fleet.statuses(order) == ["UNKNOWN"]


def test_a_full_page_proves_nothing(fleet, monkeypatch):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    by_hand(fleet, fleet.create(fleet.shares(3), accounts=fleet.accounts[:1]))
    monkeypatch.setattr("brokerage.schwab.messages.MOST_ROWS", 1)

    look(fleet, times=3)

    assert fleet.statuses(order) == ["UNKNOWN"]


def test_an_order_that_the_lists_show_late_is_not_declared_absent(fleet):
    order, name = unknown_and_hidden(fleet)
    look(fleet, times=3)
    grow_quiet(fleet, order)
    look(fleet, times=2)

    show(fleet, name)
    look(fleet)

    assert (fleet.statuses(order), only(fleet, order).broker_order_id) == (["FILLED"], name)


def test_two_looks_at_the_same_moment_count_once(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)

    reconcile(gateway=fleet.gateway)
    reconcile(gateway=fleet.gateway)

    assert only(fleet, order).clean_reads == 1


def test_ours_is_found_beside_one_typed_in_by_hand(fleet):
    order = unknown(fleet, "drop_after")
    ours = str(fleet.broker.orders()[0]["orderId"])
    by_hand(fleet, order)

    look(fleet)

    assert only(fleet, order).broker_order_id == ours


def test_an_order_that_belongs_to_another_of_ours_is_no_match(fleet):
    first = fleet.broadcast(fleet.shares(7), accounts=fleet.accounts[:1])
    order = unknown(fleet)
    grow_quiet(fleet, order)

    look(fleet, times=3)

    assert only(fleet, first).status == "WORKING"
    assert fleet.statuses(order) == ["FAILED_TO_PLACE"]


@pytest.mark.parametrize("ahead_s", [-300, 300])
def test_a_clock_that_is_minutes_off_hides_no_order(fleet, ahead_s):
    fleet.broker.clock(ahead_s)
    order = unknown(fleet, "drop_after")

    look(fleet)

    assert only(fleet, order).broker_order_id == str(fleet.broker.orders()[0]["orderId"])


def test_a_number_that_the_broker_does_not_know_is_given_up_and_the_right_one_found(fleet):
    order = unknown(fleet, "wrong_location")
    child = only(fleet, order)
    right, wrong = str(fleet.broker.orders()[0]["orderId"]), child.broker_order_id
    assert wrong != right

    fleet.poll()
    assert only(fleet, order).broker_order_id == wrong  # a fresh order may be 404 for a moment
    force(child, sent_at=seconds_from_now(-6))
    fleet.poll()
    assert trail(child)[-1] == ("WORKING", "UNKNOWN")
    look(fleet)

    assert only(fleet, order).broker_order_id == right
    assert only(fleet, order).status == "FILLED"


def test_the_number_of_an_equal_order_typed_in_by_hand_is_given_up(fleet):
    """The model's L2: fingerprints alone cannot tell the two."""
    fleet.broker.market(fills="manual")
    twin = by_hand(fleet, fleet.create(fleet.shares(7), accounts=fleet.accounts[:1]))
    order = unknown(fleet, "wrong_location")
    assert only(fleet, order).broker_order_id == twin

    fleet.poll()
    look(fleet)

    (ours,) = (str(o["orderId"]) for o in fleet.broker.orders() if str(o["orderId"]) != twin)
    assert only(fleet, order).broker_order_id == ours


def test_nothing_is_asked_while_nothing_is_unknown(fleet, django_assert_num_queries):
    fleet.broadcast(fleet.shares())
    wire = Wire(fleet.broker)

    with django_assert_num_queries(2):
        reconcile(gateway=fleet.gateway)

    assert wire.reads == []


def test_an_order_under_whose_number_another_of_ours_stands_is_not_declared_absent(fleet):
    """The model's F3: the other one was told a wrong number and was not read yet."""
    order = unknown(fleet, "drop_after")
    grow_quiet(fleet, order)
    name = str(fleet.broker.orders()[0]["orderId"])
    other = fleet.broadcast(fleet.shares(3), accounts=fleet.accounts[:1])
    force(only(fleet, other), broker_order_id=name)

    look(fleet, times=4)
    assert fleet.statuses(order) == ["UNKNOWN"]
    fleet.poll()
    look(fleet)

    assert only(fleet, order).broker_order_id == name
