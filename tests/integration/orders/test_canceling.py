"""Cancels are wishes: sent until the broker shows the end, wherever the order stood when asked."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent
from orders.domain.errors import BadTicket, CannotControl
from orders.models import LegFill
from orders.services.canceling import ask_cancel, withdraw_unsent
from orders.services.claiming import claim
from orders.services.reconciling import reconcile
from orders.services.sweeping import sweep
from tests.integration.orders.hands import figures, force, hit, only, trail
from tests.integration.orders.stopping import (
    LIMIT,
    ask,
    fault_cancels,
    resting,
    stop,
)
from tests.integration.orders.test_races import at_once

BY_HAND = {
    "orderType": "LIMIT",
    "price": "0.90",
    "session": "NORMAL",
    "duration": "DAY",
    "orderStrategyType": "SINGLE",
    "orderLegCollection": [
        {
            "instruction": "BUY",
            "quantity": 7,
            "instrument": {"symbol": "AAPL", "assetType": "EQUITY"},
        }
    ],
}


def test_a_working_broadcast_is_canceled_in_all_accounts(fleet, broker):
    order = resting(fleet, accounts=3)

    asked = ask(order)
    done = stop(fleet)

    assert (len(asked.asked), done.sent, len(done.changed)) == (3, 3, 3)
    assert fleet.statuses(order) == ["CANCELED"] * 3
    assert {one["status"] for one in broker.orders()} == {"CANCELED"}
    order.refresh_from_db()
    assert order.status == "CLOSED_OUT"


def test_a_cancel_is_recorded_with_who_asked(fleet):
    order = resting(fleet)

    ask(order)
    ask(order)

    event = AuditEvent.objects.get(kind="cancel")
    subject = f"accountorder:{only(fleet, order).pk}"
    assert (event.subject, event.old, event.actor) == (subject, "WORKING", "agent")


def test_only_the_chosen_accounts_are_canceled(fleet):
    order = resting(fleet, accounts=3)

    ask(order, accounts=[fleet.accounts[1].pk])
    stop(fleet)

    assert fleet.statuses(order) == ["WORKING", "CANCELED", "WORKING"]


def test_what_was_not_sent_is_not_sent_any_more(fleet, wire):
    order = fleet.create(fleet.shares(limit=LIMIT))

    asked = ask(order)
    fleet.send(order)

    assert (len(asked.unsent), asked.asked) == (3, [])
    children = fleet.children(order)
    assert {child.reason for child in children} == {"Canceled before it was sent."}
    assert {(child.status, child.reason_code) for child in children} == {
        ("SKIPPED", "CANCELED_UNSENT")
    }
    assert wire.posts == []


def test_an_order_under_way_that_comes_back_is_not_sent_again(fleet, wire):
    order = fleet.create(fleet.shares(limit=LIMIT), accounts=fleet.accounts[:1])
    child = only(fleet, order)
    claim([child.pk], clock=timezone.now)
    ask(order)
    force(child, status="READY")  # it was not placed, says the answer

    assert claim([child.pk], clock=timezone.now) == []
    sweep(now=timezone.now())

    child.refresh_from_db()
    assert (child.status, child.reason_code) == ("SKIPPED", "CANCELED_UNSENT")
    assert withdraw_unsent(now=timezone.now()) == []


def test_a_cancel_of_an_order_of_unknown_outcome_waits_for_its_number(fleet):
    hit(fleet, "http_500_after")
    order = fleet.broadcast(fleet.shares(limit=LIMIT), accounts=fleet.accounts[:1])
    assert fleet.statuses(order) == ["UNKNOWN"]

    ask(order)
    assert stop(fleet).sent == 0
    reconcile(gateway=fleet.gateway)
    assert fleet.statuses(order) == ["WORKING"]
    stop(fleet)

    assert fleet.statuses(order) == ["CANCELED"]


def test_a_fill_that_wins_the_race_is_kept_and_ends_the_order_once(fleet):
    order = resting(fleet)
    fault_cancels(fleet, "fill_on_cancel")

    ask(order)
    stop(fleet)
    fleet.poll()

    child = only(fleet, order)
    assert figures(child) == ("FILLED", 10, 0)
    assert [step for step in trail(child) if step[0] == "WORKING"] == [("WORKING", "FILLED")]
    assert LegFill.objects.count() == 1


def test_a_part_that_filled_before_the_cancel_is_kept(fleet, broker):
    order = resting(fleet)
    broker.fill(only(fleet, order).broker_order_id, quantity=3)

    ask(order)
    stop(fleet)

    order.refresh_from_db()
    assert figures(only(fleet, order)) == ("CANCELED", 3, 7)
    assert order.status == "PARTIAL"


def test_a_cancel_that_is_refused_because_all_was_filled_leads_to_the_fills(fleet, broker):
    order = resting(fleet)
    broker.fill(only(fleet, order).broker_order_id)

    ask(order)
    stop(fleet)

    assert figures(only(fleet, order)) == ("FILLED", 10, 0)


def test_nothing_to_cancel_is_said(fleet):
    order = resting(fleet)
    ask(order)
    stop(fleet)

    with pytest.raises(CannotControl, match="nothing to cancel"):
        ask(order)
    child = only(fleet, order)
    again = ask_cancel(children=[child.pk], by="agent", now=timezone.now())
    assert (again.over, again.is_nothing) == ([child.pk], True)


def test_an_account_that_is_not_in_the_broadcast_is_refused(fleet):
    order = resting(fleet)

    with pytest.raises(BadTicket) as error:
        ask(order, accounts=[fleet.accounts[0].pk, uuid4()])

    (problem,) = error.value.problems
    assert (problem.field, problem.code) == ("accounts", "unknown_account")
    assert not AuditEvent.objects.filter(kind="cancel").exists()


def test_an_earlier_attempt_that_came_back_to_life_is_canceled_too(fleet):
    order = resting(fleet)
    child = only(fleet, order)
    second = fleet.broadcast(fleet.shares(4, limit=LIMIT), accounts=fleet.accounts[:1])
    force(only(fleet, second), order=order, attempt=2)

    assert len(ask(order).asked) == 2
    stop(fleet)

    child.refresh_from_db()
    assert fleet.statuses(order) == ["CANCELED", "CANCELED"]


def test_the_wish_for_many_accounts_takes_as_many_statements_as_for_one(fleet):
    few, many = resting(fleet), resting(fleet, accounts=3)

    with CaptureQueriesContext(
        connection,
    ) as one:
        ask(few)
    with CaptureQueriesContext(connection) as three:
        ask(many)

    assert len(three) == len(one)


@pytest.mark.django_db(transaction=True)
def test_a_click_and_a_claim_at_once_leave_nothing_at_the_broker(fleet, broker):
    order = fleet.create(fleet.shares(limit=LIMIT))

    at_once(lambda: fleet.send(order), lambda: ask(order))
    stop(fleet)

    assert set(fleet.statuses(order)) <= {"CANCELED", "SKIPPED"}
    assert {one["status"] for one in broker.orders()} <= {"CANCELED"}
