"""What becomes of orders of unknown outcome: found, proved absent, or the agent's to decide."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Alarm, AuditEvent
from orders.models import AccountOrder, ComplexOrder, ExternalOrder
from orders.services.deciding import CannotDecide, adopt_candidate, rule_out_candidates
from orders.services.placing import place_account_orders
from orders.services.reconciling import Reconciled, reconcile
from tests.integration.orders.hands import (
    Wire,
    force,
    hit,
    only,
    seconds_from_now,
    trail,
)
from tests.support.fleet import Fleet

QUIET = timedelta(seconds=61)
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


def unknown(fleet: Fleet, fault: str = "http_500", contracts: int = 7) -> ComplexOrder:
    """Broadcast to the first account, and lose what became of it."""
    hit(fleet, fault)
    return fleet.broadcast(fleet.shares(contracts), accounts=fleet.accounts[:1])


def look(fleet: Fleet, *, times: int = 1) -> Reconciled:
    """Let every order be due for a look, and look."""
    for _ in range(times):
        AccountOrder.objects.update(looked_at=None)
        result = reconcile(gateway=fleet.gateway)
    return result


def grow_quiet(fleet: Fleet, order: ComplexOrder) -> None:
    """Let the claim be a minute old, and with it all that the broker has."""
    child = only(fleet, order)
    assert child.claimed_at is not None
    force(child, claimed_at=child.claimed_at - QUIET)
    for placed in fleet.broker.broker.books.orders.values():
        placed.entered_at -= QUIET.total_seconds()
        placed.text = None


def unknown_and_hidden(fleet: Fleet) -> tuple[ComplexOrder, str]:
    """Broadcast to the first account, lose the answer, and let lists hide the order."""
    hit(fleet, "late_listing", delay_ms=3_600_000)
    order = fleet.broadcast(fleet.shares(7), accounts=fleet.accounts[:1])
    name = only(fleet, order).broker_order_id
    assert name is not None
    force(only(fleet, order), status="UNKNOWN", broker_order_id=None)
    return order, name


def show(fleet: Fleet, name: str) -> None:
    """Let lists show a hidden order from now on."""
    fleet.broker.broker.books.orders[int(name)].hidden_until = 0


def by_hand(fleet: Fleet, order: ComplexOrder, **more: Any) -> str:
    """Make the same order by hand, in thinkorswim."""
    account = fleet.accounts[0].hash_value
    leg = {
        "instruction": "BUY",
        "quantity": only(fleet, order).contracts,
        "instrument": {"symbol": "AAPL", "assetType": "EQUITY"},
    }
    body = {
        "orderType": "MARKET",
        "session": "NORMAL",
        "duration": "DAY",
        "orderStrategyType": "SINGLE",
        "orderLegCollection": [leg],
    }
    return fleet.broker.make_order(account, body, **more)


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


def test_an_order_typed_in_by_hand_is_never_taken_for_ours(fleet):
    order = unknown(fleet)
    twin = by_hand(fleet, order)
    grow_quiet(fleet, order)

    result = look(fleet, times=4)

    child = only(fleet, order)
    assert result.asked == 1
    assert (child.status, child.needs_agent, child.broker_order_id) == ("UNKNOWN", True, None)
    candidate = ExternalOrder.objects.get()
    assert [candidate.broker_order_id] == child.candidates == [twin]
    assert candidate.tag.startswith("API_TOS")
    asked = AuditEvent.objects.filter(subject=f"accountorder:{child.pk}", kind="candidates")
    assert asked.count() == 1


def test_ours_is_found_beside_one_typed_in_by_hand(fleet):
    order = unknown(fleet, "drop_after")
    ours = str(fleet.broker.orders()[0]["orderId"])
    by_hand(fleet, order)

    look(fleet)

    assert only(fleet, order).broker_order_id == ours


def test_two_that_could_both_be_ours_are_the_agents_to_decide(fleet):
    order = unknown(fleet, "drop_after")
    by_hand(fleet, order, tag="TA_another_app")
    grow_quiet(fleet, order)
    child = only(fleet, order)

    look(fleet)

    assert fleet.statuses(order) == ["UNKNOWN"]
    names = set(ExternalOrder.objects.values_list("broker_order_id", flat=True))
    assert names == {str(one["orderId"]) for one in fleet.broker.orders()}
    ours = str(fleet.broker.orders()[0]["orderId"])
    adopt_candidate(child.pk, ours, agent=fleet.agent, now=timezone.now())
    fleet.poll()
    child.refresh_from_db()
    assert (child.status, child.broker_order_id, child.needs_agent) == ("FILLED", ours, False)
    assert ExternalOrder.objects.count() == 1


def test_an_order_that_belongs_to_another_of_ours_is_no_match(fleet):
    first = fleet.broadcast(fleet.shares(7), accounts=fleet.accounts[:1])
    order = unknown(fleet)
    grow_quiet(fleet, order)

    look(fleet, times=3)

    assert only(fleet, first).status == "WORKING"
    assert fleet.statuses(order) == ["FAILED_TO_PLACE"]


def test_one_of_ours_entered_before_the_claim_is_the_agents_to_decide(fleet):
    fleet.broker.clock(-60)
    order = unknown(fleet, "drop_after")
    fleet.broker.clock(0)

    look(fleet)

    assert (fleet.statuses(order), only(fleet, order).needs_agent) == (["UNKNOWN"], True)


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


def test_an_order_that_appears_after_its_absence_was_proved_lives_again_with_an_alarm(fleet):
    order, name = unknown_and_hidden(fleet)
    child = only(fleet, order)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    assert only(fleet, order).reason_code == "PROVED_ABSENT"

    show(fleet, name)
    result = look(fleet)

    child.refresh_from_db()
    assert result.found == 1
    assert (child.status, child.broker_order_id) == ("FILLED", name)
    assert ("FAILED_TO_PLACE", "WORKING") in trail(child)
    assert Alarm.objects.get().code == "RESURRECTED"


def test_the_late_answer_of_an_order_proved_absent_brings_it_back(fleet):
    """F15: the worker was stopped between the broker's answer and its recording."""
    order = fleet.create(fleet.shares(7), accounts=fleet.accounts[:1])
    stopped = Stopped(fleet.gateway, lambda: absent_meanwhile(fleet, order))

    place_account_orders(ids=fleet.ready(order), gateway=stopped)

    child = only(fleet, order)
    assert (child.status, child.reason_code) == ("WORKING", "RESURRECTED")
    assert child.broker_order_id == str(fleet.broker.orders()[0]["orderId"])
    assert Alarm.objects.get().subject == f"accountorder:{child.pk}"


class Stopped:
    """A gateway whose answers are kept back while something happens."""

    def __init__(self, gateway, meanwhile):
        self._gateway, self._meanwhile = gateway, meanwhile

    def stream(self, calls):
        for batch in self._gateway.stream(calls):
            self._meanwhile()
            yield batch


def absent_meanwhile(fleet, order):
    force(only(fleet, order), status="FAILED_TO_PLACE", reason_code="PROVED_ABSENT")


def test_an_order_proved_absent_is_asked_about_once_a_minute(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    wire = Wire(fleet.broker)

    reconcile(gateway=fleet.gateway)
    assert wire.reads == []
    force(only(fleet, order), looked_at=seconds_from_now(-61))
    reconcile(gateway=fleet.gateway)

    assert len(wire.reads) == 1


def test_an_order_proved_absent_yesterday_is_asked_about_no_more(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    force(only(fleet, order), claimed_at=timezone.now() - timedelta(days=1), looked_at=None)

    assert reconcile(gateway=fleet.gateway).sought == 0


def test_nothing_is_asked_while_nothing_is_unknown(fleet, django_assert_num_queries):
    fleet.broadcast(fleet.shares())
    wire = Wire(fleet.broker)

    with django_assert_num_queries(2):
        reconcile(gateway=fleet.gateway)

    assert wire.reads == []


def test_none_is_ours_is_for_after_the_quiet_period_and_stays_said(fleet):
    order = unknown(fleet)
    child = only(fleet, order)
    by_hand(fleet, order, tag="TA_another_app")
    by_hand(fleet, order, tag="TA_another_app")
    look(fleet)
    with pytest.raises(CannotDecide, match="too early"):
        rule_out_candidates(child.pk, seen=[], agent=fleet.agent, now=timezone.now())
    grow_quiet(fleet, order)

    names = [str(one["orderId"]) for one in fleet.broker.orders()]
    with pytest.raises(CannotDecide, match="look again"):
        rule_out_candidates(child.pk, seen=names[:1], agent=fleet.agent, now=timezone.now())
    rule_out_candidates(child.pk, seen=names, agent=fleet.agent, now=timezone.now())
    look(fleet, times=2)

    child.refresh_from_db()
    assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "RULED_OUT")
    assert "agent said" in child.reason


def test_a_decision_that_comes_too_late_says_so(fleet):
    order = unknown(fleet, "drop_after")
    child = only(fleet, order)
    look(fleet)

    with pytest.raises(CannotDecide, match="not unknown any more"):
        adopt_candidate(child.pk, "17", agent=fleet.agent, now=timezone.now())
    with pytest.raises(CannotDecide, match="not unknown any more"):
        rule_out_candidates(child.pk, seen=[], agent=fleet.agent, now=timezone.now())


def test_only_a_candidate_can_be_adopted(fleet):
    order = unknown(fleet)
    by_hand(fleet, order)
    look(fleet)

    with pytest.raises(CannotDecide, match="not one of its candidates"):
        adopt_candidate(only(fleet, order).pk, "17", agent=fleet.agent, now=timezone.now())

    assert fleet.statuses(order) == ["UNKNOWN"]


def test_what_was_clicked_again_is_never_taken_for_the_order_given_up(fleet):
    """The model's F1: the second order is at the broker while nobody owns its number yet."""
    first = unknown(fleet)
    grow_quiet(fleet, first)
    look(fleet, times=3)
    second = unknown(fleet, "drop_after")
    for child in AccountOrder.objects.filter(order=second):
        force(child, status="FAILED_TO_PLACE", reason_code="PROVED_ABSENT")

    look(fleet)

    assert fleet.statuses(first) == ["FAILED_TO_PLACE"]
    assert fleet.statuses(second) == ["FILLED"]


def test_one_that_is_not_this_order_may_be_another_of_ours(fleet):
    """The model's F2: what is ruled out for one order stays free for the one it belongs to."""
    first, name = unknown_and_hidden(fleet)
    grow_quiet(fleet, first)
    look(fleet, times=3)
    assert only(fleet, first).reason_code == "PROVED_ABSENT"
    second = unknown(fleet)
    show(fleet, name)
    look(fleet)
    assert only(fleet, second).needs_agent
    force(only(fleet, second), claimed_at=timezone.now() - QUIET)
    agent = {"agent": fleet.agent, "now": timezone.now()}

    rule_out_candidates(only(fleet, second).pk, seen=[name], **agent)
    look(fleet)

    assert only(fleet, first).broker_order_id == name
    assert only(fleet, second).reason_code == "RULED_OUT"


def test_an_order_with_our_tag_that_nobody_explains_raises_an_alarm_once(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    name = by_hand(fleet, order, tag="TA_another_app")

    look(fleet, times=2)

    assert fleet.statuses(order) == ["FAILED_TO_PLACE"]
    assert name in Alarm.objects.get(code="ORPHAN").words
    assert ExternalOrder.objects.get().broker_order_id == name


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
