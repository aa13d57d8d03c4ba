"""Hands for tests of price ladders: start them, let time pass, carry steps out, look."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from accounts.models import AuditEvent
from orders.models import AccountOrder, ComplexOrder, PriceLadder
from orders.services.climbing import Climbed, climb
from orders.services.ladders import start_ladder
from tests.integration.orders.hands import raw_of
from tests.integration.orders.stopping import go_on, stop
from tests.support.fleet import Fleet

CENT = Decimal("0.01")
EVERY_S = 10


def start(fleet: Fleet, order: ComplexOrder, **more: Any) -> PriceLadder:
    """Start a ladder from 1.00 to 1.20 in steps of 0.05."""
    asked = {
        "step": Decimal("0.05"),
        "every_s": EVERY_S,
        "bound": Decimal("1.20"),
        "confirm": ["PRICE_AWAY"],
        "now": timezone.now(),
        **more,
    }
    return start_ladder(order_id=order.pk, agent=fleet.agent, **asked)


def let_pass(order: ComplexOrder, seconds: float = EVERY_S) -> None:
    """Let so much time pass for a ladder."""
    rows = PriceLadder.objects.filter(order=order, next_at__isnull=False)
    rows.update(next_at=F("next_at") - timedelta(seconds=seconds))


def step(order: ComplexOrder) -> Climbed:
    """Let the next step be due, and climb."""
    let_pass(order)
    return climb(now=timezone.now())


def carry_out(fleet: Fleet, order: ComplexOrder) -> None:
    """Cancel, send the rests and read, as the workers do."""
    stop(fleet)
    go_on(fleet, order)
    fleet.poll()


def up(fleet: Fleet, order: ComplexOrder) -> Climbed:
    """Take the next step and carry it out."""
    climbed = step(order)
    carry_out(fleet, order)
    return climbed


def ladder_of(order: ComplexOrder) -> PriceLadder:
    return PriceLadder.objects.get(order=order)


def why(order: ComplexOrder) -> str:
    return ladder_of(order).why


def is_running(order: ComplexOrder) -> bool:
    ladder = ladder_of(order)
    assert (ladder.next_at is None) == (ladder.stopped_at is not None)
    return ladder.stopped_at is None


def limit_of(order: ComplexOrder) -> Decimal | None:
    order.refresh_from_db()
    return order.limit


def working(fleet: Fleet) -> list[tuple[int, float]]:
    """Return quantity and price of what works at the broker."""
    found = [one for one in fleet.broker.orders() if one["status"] == "WORKING"]
    return sorted((int(one["quantity"]), one["price"]) for one in found)


def trail(order: ComplexOrder) -> list[tuple[str, str]]:
    """Return what is on record about a ladder: old and new."""
    events = AuditEvent.objects.filter(subject=f"complexorder:{order.pk}", kind="ladder")
    return list(events.order_by("id").values_list("old", "new"))


def price_of(fleet: Fleet, child: AccountOrder) -> float:
    """Return the price of an order at the broker."""
    return float(raw_of(fleet, child)["price"])
