"""Cancels are wishes: sent until the broker shows the end, wherever the order stood when asked."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Alarm, AuditEvent
from orders.domain.errors import BadTicket, CannotControl
from orders.models import AccountOrder
from orders.services.canceling import ask_cancel, ask_cancel_of_order, send_cancels, withdraw_unsent
from orders.services.claiming import claim
from orders.services.placing import place_account_orders
from orders.services.reconciling import reconcile
from tests.integration.orders.hands import (
    ORDERS,
    figures,
    force,
    hit,
    only,
    seconds_from_now,
    trail,
)

LIMIT = Decimal("1.00")


def resting(fleet, contracts=10, accounts=1):
    """Broadcast an order that rests at the broker, read once."""
    order = fleet.broadcast(
        fleet.shares(contracts, limit=LIMIT), accounts=fleet.accounts[:accounts]
    )
    fleet.poll()
    return order


def ask(order, **more):
    return ask_cancel_of_order(order.pk, by="agent", now=timezone.now(), **more)


def deletes(broker):
    return sum(row["method"] == "DELETE" for row in broker.journal())


def at_broker(fleet, child):
    return next(o for o in fleet.broker.orders() if str(o["orderId"]) == child.broker_order_id)


def test_a_working_broadcast_is_canceled_in_all_accounts(fleet, broker):
    order = resting(fleet, accounts=3)

    asked = ask(order)
    done = send_cancels(gateway=fleet.gateway)

    assert (len(asked.asked), done.sent, len(done.changed)) == (3, 3, 3)
    assert fleet.statuses(order) == ["CANCELED"] * 3
    assert {one["status"] for one in broker.orders()} == {"CANCELED"}
    order.refresh_from_db()
    assert order.status == "CLOSED_OUT"


def test_a_cancel_is_recorded_with_who_asked(fleet):
    order = resting(fleet)

    ask(order)

    event = AuditEvent.objects.get(kind="cancel")
    assert (event.subject, event.old, event.actor) == (
        f"accountorder:{only(fleet, order).pk}",
        "WORKING",
        "agent",
    )


def test_only_the_chosen_accounts_are_canceled(fleet):
    order = resting(fleet, accounts=3)

    ask(order, accounts=[fleet.accounts[1].pk])
    send_cancels(gateway=fleet.gateway)

    assert fleet.statuses(order) == ["WORKING", "CANCELED", "WORKING"]
