"""Hands for tests of cancels and replaces: rest at the broker, ask, send, let time pass."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from orders.models import AccountOrder, ComplexOrder
from orders.services.canceling import Asked, Canceled, ask_cancel_of_order, send_cancels
from orders.services.replacing import ask_replace, send_rests
from tests.support.fleet import Fleet
from tests.support.paper import PaperBroker

LIMIT, BETTER = Decimal("1.00"), Decimal("1.25")


def resting(fleet: Fleet, contracts: int = 10, accounts: int = 1) -> ComplexOrder:
    """Broadcast an order in shares that rests at the broker, and read it once."""
    ticket = fleet.shares(contracts, limit=LIMIT)
    order = fleet.broadcast(ticket, accounts=fleet.accounts[:accounts])
    fleet.poll()
    return order


def ask(order: ComplexOrder, **more: Any) -> Asked:
    """Ask for the cancel of a broadcast."""
    return ask_cancel_of_order(order.pk, by="agent", now=timezone.now(), **more)


def stop(fleet: Fleet) -> Canceled:
    """Send the cancels that are due."""
    return send_cancels(gateway=fleet.gateway)


def change(order: ComplexOrder, limit: Decimal = BETTER, **more: Any) -> Asked:
    """Ask for a replace of a broadcast."""
    now = more.pop("now", timezone.now())
    return ask_replace(order_id=order.pk, limit=limit, by="agent", now=now, **more)


def go_on(fleet: Fleet, order: ComplexOrder) -> list[UUID]:
    """Send what is left of canceled orders."""
    ids = send_rests(now=timezone.now())
    fleet.send(order)
    return ids


def due_again(order: ComplexOrder, seconds: float = 6) -> None:
    """Let some time pass since the last cancels of a broadcast were sent."""
    earlier = F("cancel_sent_at") - timedelta(seconds=seconds)
    AccountOrder.objects.filter(order=order).update(cancel_sent_at=earlier)


def fault_cancels(fleet: Fleet, fault: str, **more: Any) -> None:
    """Let the next cancel in the first account suffer a fault."""
    account = fleet.accounts[0].hash_value
    fleet.broker.fault(fault, method="DELETE", path="/orders/", account=account, **more)


def cancels(broker: PaperBroker) -> int:
    """Count the cancels that arrived."""
    return sum(row["method"] == "DELETE" for row in broker.journal())


def prices_at(broker: PaperBroker, status: str = "WORKING") -> list[tuple[int, float]]:
    """Return quantity and price of the orders at the broker that stand so."""
    found = [one for one in broker.orders() if one["status"] == status]
    return sorted((int(one["quantity"]), one["price"]) for one in found)
