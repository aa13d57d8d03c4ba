"""Replaces: cancel, its proof, and a new order for exactly what is left, once and never late."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent
from orders.domain.errors import CannotControl
from orders.models import AccountOrder, AccountOrderLeg, ExitStep, PlacedOrderSet
from orders.services.canceling import ask_cancel, withdraw_unsent
from orders.services.claiming import claim
from orders.services.replacing import send_rests
from tests.integration.orders.hands import figures, force, only, raw_of, trail
from tests.integration.orders.stopping import (
    BETTER,
    LIMIT,
    ask,
    change,
    fault_cancels,
    go_on,
    prices_at,
    resting,
    stop,
)
from tests.integration.orders.test_races import at_once


def test_a_working_broadcast_goes_on_at_the_new_limit_in_all_accounts(fleet, broker):
    order = resting(fleet, accounts=3)

    asked = change(order)
    stop(fleet)
    ids = go_on(fleet, order)

    assert (len(asked.asked), len(ids)) == (3, 3)
    assert prices_at(broker) == [(10, 1.25)] * 3
    assert prices_at(broker, "CANCELED") == [(10, 1.0)] * 3
    order.refresh_from_db()
    assert (order.status, order.limit) == ("WORKING", BETTER)


def test_after_a_partial_fill_of_three_of_ten_exactly_seven_are_ordered(fleet, broker):
    order = resting(fleet)
    broker.fill(only(fleet, order).broker_order_id, quantity=3)

    change(order)
    stop(fleet)
    go_on(fleet, order)

    old, new = fleet.children(order)
    assert figures(old) == ("CANCELED", 3, 7)
    assert (new.status, new.contracts, new.attempt) == ("WORKING", 7, 2)
    assert old.successor == new
    assert prices_at(broker) == [(7, 1.25)]
    order.refresh_from_db()
    assert order.status == "PARTIAL"
    broker.fill(new.broker_order_id)
    fleet.poll()
    order.refresh_from_db()
    assert order.status == "FILLED"
    assert sum(child.filled for child in fleet.children(order)) == 10


def test_a_condor_is_replaced_with_all_its_legs(fleet, condor, broker, by_hand):
    order = fleet.broadcast(replace(condor, contracts=3), accounts=fleet.accounts[:1])
    fleet.poll()
    broker.fill(only(fleet, order).broker_order_id, quantity=1)

    change(order, Decimal("0.10"), confirm=["PRICE_AWAY"])
    stop(fleet)
    go_on(fleet, order)

    _, new = fleet.children(order)
    legs = AccountOrderLeg.objects.filter(child=new)
    assert [leg.symbol for leg in legs] == [leg.symbol for leg in condor.legs]
    assert {leg.quantity for leg in legs} == {2}
    sent = raw_of(fleet, new)
    assert (sent["orderType"], sent["complexOrderStrategyType"]) == ("NET_CREDIT", "IRON_CONDOR")
    assert (sent["quantity"], sent["price"]) == (2, 0.1)


def test_what_filled_while_its_cancel_was_on_the_way_is_not_ordered_again(fleet, broker):
    order = resting(fleet)
    fault_cancels(fleet, "fill_on_cancel")

    change(order)
    stop(fleet)

    assert go_on(fleet, order) == []
    assert figures(only(fleet, order)) == ("FILLED", 10, 0)
    assert len(broker.orders()) == 1


def test_nothing_new_is_sent_before_the_end_of_the_old_one_is_proved(fleet, broker):
    order = resting(fleet)
    fault_cancels(fleet, "drop_after")
    broker.fault("http_500", method="GET", path="/orders/")

    change(order)
    stop(fleet)

    assert go_on(fleet, order) == []
    fleet.poll()
    assert len(go_on(fleet, order)) == 1
    assert prices_at(broker) == [(10, 1.25)]


def test_a_proof_that_comes_late_sends_nothing(fleet, broker):
    order = resting(fleet)
    broker.fill(only(fleet, order).broker_order_id, quantity=3)
    change(order, now=timezone.now() - timedelta(minutes=2))
    stop(fleet)

    assert go_on(fleet, order) == []

    child = only(fleet, order)
    assert child.reason == (
        "Canceled; its end was proved too late to send the rest of 7 at 1.2500."
    )
    assert (child.needs_agent, len(broker.orders())) == (False, 1)
    order.refresh_from_db()
    assert order.status == "PARTIAL"
    assert AuditEvent.objects.filter(kind="not replaced").count() == 1


def test_between_the_cancel_and_the_rest_the_broadcast_goes_on(fleet):
    order = resting(fleet)

    change(order)
    stop(fleet)

    order.refresh_from_db()
    assert (fleet.statuses(order), order.status) == (["CANCELED"], "WORKING")


def test_what_was_not_sent_is_sent_at_the_new_limit(fleet, broker):
    order = fleet.create(fleet.shares(limit=LIMIT))

    asked = change(order)
    fleet.send(order)

    assert (len(asked.unsent), asked.asked, len(asked.ready)) == (3, [], 3)
    assert fleet.statuses(order) == ["SKIPPED", "WORKING"] * 3
    assert prices_at(broker) == [(10, 1.25)] * 3


def test_what_comes_back_unsent_is_sent_at_the_new_limit(fleet, broker):
    order = fleet.create(fleet.shares(limit=LIMIT), accounts=fleet.accounts[:1])
    child = only(fleet, order)
    claim([child.pk], clock=timezone.now)
    change(order)
    force(child, status="READY")  # it was not placed, says the answer

    (new,) = withdraw_unsent(now=timezone.now())
    fleet.send(order)

    assert [str(one.pk) for one in fleet.children(order)] == [str(child.pk), str(new)]
    assert prices_at(broker) == [(10, 1.25)]


def test_of_several_limits_the_last_one_counts(fleet, broker):
    order = resting(fleet)

    change(order)
    change(order, Decimal("1.30"))
    stop(fleet)
    change(order, Decimal("1.35"))
    go_on(fleet, order)

    assert prices_at(broker) == [(10, 1.35)]
    assert len(broker.orders()) == 2


@pytest.mark.parametrize("is_proved", [False, True], ids=["before the proof", "after it"])
def test_who_wants_out_meanwhile_is_out(fleet, broker, is_proved):
    order = resting(fleet)
    change(order)
    if is_proved:
        stop(fleet)

    ask(order)
    stop(fleet)

    assert go_on(fleet, order) == []
    assert [one["status"] for one in broker.orders()] == ["CANCELED"]


def test_a_replace_does_not_take_a_cancel_back(fleet, broker):
    order = resting(fleet)
    ask(order)

    with pytest.raises(CannotControl):
        change(order)
    stop(fleet)

    assert go_on(fleet, order) == []
    assert len(broker.orders()) == 1


def test_a_click_on_an_old_attempt_reaches_the_one_that_works(fleet, broker):
    order = resting(fleet)
    old = only(fleet, order)
    change(order)
    stop(fleet)
    go_on(fleet, order)

    asked = ask_cancel(children=[old.pk], by="agent", now=timezone.now())
    stop(fleet)

    assert asked.asked == [fleet.children(order)[1].pk]
    assert prices_at(broker) == []


def test_the_step_of_an_exit_goes_on_with_the_new_order(fleet):
    order = resting(fleet)
    old = only(fleet, order)
    step = ExitStep.objects.create(
        placed_order_set=PlacedOrderSet.objects.create(order=order),
        account=old.account,
        order=order,
        child=old,
    )

    change(order)
    stop(fleet)
    (new,) = go_on(fleet, order)

    step.refresh_from_db()
    assert step.child_id == new


def test_the_life_of_both_attempts_is_recorded(fleet):
    order = resting(fleet)

    change(order)
    stop(fleet)
    go_on(fleet, order)

    old, new = fleet.children(order)
    assert trail(old)[-1] == ("WORKING", "CANCELED")
    assert trail(new) == [("", "READY"), ("READY", "SUBMITTING"), ("SUBMITTING", "WORKING")]


def test_the_rests_of_many_accounts_take_as_many_statements_as_that_of_one(fleet):
    counts = []
    for accounts in (1, 3):
        change(resting(fleet, accounts=accounts))
        stop(fleet)
        with CaptureQueriesContext(connection) as statements:
            send_rests(now=timezone.now())
        counts.append(len(statements))

    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_two_identical_replaces_at_once_give_one_successor(fleet, broker):
    order = resting(fleet, accounts=3)

    at_once(*[lambda: change(order)] * 4)
    at_once(*[lambda: stop(fleet)] * 2)
    at_once(*[lambda: send_rests(now=timezone.now())] * 4)
    fleet.send(order)

    assert fleet.statuses(order) == ["CANCELED", "WORKING"] * 3
    assert prices_at(broker) == [(10, 1.25)] * 3
    assert AccountOrder.objects.filter(successor__isnull=False).count() == 3


@pytest.mark.django_db(transaction=True)
def test_whole_replaces_at_once_leave_one_order_of_the_right_size(fleet, broker):
    order = resting(fleet)

    def whole():
        change(order)
        stop(fleet)
        go_on(fleet, order)

    at_once(*[whole] * 3)
    stop(fleet)
    go_on(fleet, order)

    assert prices_at(broker) == [(10, 1.25)]
