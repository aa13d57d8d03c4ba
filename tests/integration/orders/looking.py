"""Lose what became of orders, and look for them: hands for tests of the reconciliation."""

from datetime import timedelta
from typing import Any

from orders.models import AccountOrder, ComplexOrder
from orders.services.reconciling import Reconciled, reconcile
from tests.integration.orders.hands import force, hit, only
from tests.support.fleet import Fleet

QUIET = timedelta(seconds=61)


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
