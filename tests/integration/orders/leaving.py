"""Open sets and leave them: hands for tests of the exit, with no worker but the test itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from orders.domain.exits import ExitTerms, Pricing
from orders.models import AccountOrder, ComplexOrder, ExitStep, LegFill, PlacedOrderSet
from orders.services import placing
from orders.services.exits.advancing import Advanced, advance_exits
from orders.services.exits.opening import Opened, open_exit
from orders.services.sets import keep_sets
from strategies.domain.tickets import Ticket
from tests.support.fleet import Fleet

LIMIT = Decimal("4.90")
CONFIRMED = frozenset({"PRICE_AWAY"})
AGE = timedelta(seconds=60)


@dataclass
class Way:
    """A set and its way out; `out` is filled by the first exit."""

    fleet: Fleet
    placed_set: PlacedOrderSet

    @property
    def symbols(self) -> list[str]:
        return [leg.symbol for leg in self.placed_set.order.legs.all()]

    def terms(self, **more: Any) -> ExitTerms:
        asked = {"pricing": Pricing.LIMIT, "limit": LIMIT, "confirm": CONFIRMED, **more}
        return ExitTerms(**asked)

    def open(self, **more: Any) -> Opened:
        """Click EXIT; nothing is sent."""
        now = timezone.now()
        key = more.pop("key", None) or uuid4()
        return open_exit(
            placed_set=self.placed_set,
            terms=self.terms(**more),
            agent=self.fleet.agent,
            idempotency_key=key,
            clicked_at=now,
            now=now,
        )

    def go(self, *, passes: int = 1) -> Advanced:
        """Carry exits on as a worker does: plan, send, read; the time between them passes."""
        for _ in range(passes):
            ExitStep.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
            advanced = advance_exits(gateway=self.fleet.gateway)
            for ready in advanced.ready.values():
                placing.place_account_orders(ids=ready, gateway=self.fleet.gateway)
            self.fleet.poll()
        return advanced

    def leave(self, *, passes: int = 3, **more: Any) -> ComplexOrder:
        """Click EXIT and carry it on."""
        order = self.open(**more).order
        self.go(passes=passes)
        order.refresh_from_db()
        return order

    def steps(self) -> list[ExitStep]:
        """Return the newest step of each account, in grid order."""
        rows = ExitStep.objects.filter(placed_order_set=self.placed_set).select_related("account")
        latest = {step.account_id: step for step in rows.order_by("pk")}
        return sorted(latest.values(), key=lambda step: step.account.position)

    def states(self) -> list[str]:
        return [step.state for step in self.steps()]

    def held(self, index: int = 0) -> list[int]:
        """Return what the broker holds of each leg in an account."""
        found = self.fleet.broker.positions()[self.fleet.accounts[index].hash_value]
        return [found.get(symbol, 0) for symbol in self.symbols]

    def hold(self, index: int, quantities: Collection[int]) -> None:
        """Change by hand what an account holds of each leg."""
        wanted = dict(zip(self.symbols, quantities, strict=True))
        self.fleet.broker.positions({self.fleet.accounts[index].hash_value: wanted})

    def closing(self) -> list[dict[str, Any]]:
        """Return the broker's own orders that close, oldest first."""
        return [
            order
            for order in self.fleet.broker.orders()
            if all(
                leg["instruction"].endswith("_TO_CLOSE") or leg["instruction"] == "SELL"
                for leg in order["orderLegCollection"]
            )
        ]

    def is_flat(self) -> bool:
        self.placed_set.refresh_from_db()
        return self.placed_set.flat_at is not None


def enter(fleet: Fleet, ticket: Ticket, **more: Any) -> Way:
    """Broadcast and let it fill; return the set."""
    order = fleet.broadcast(ticket, **more)
    fleet.poll()
    return bookmark(fleet, order)


def bookmark(fleet: Fleet, order: ComplexOrder) -> Way:
    """Return the set of a broadcast of which something is filled."""
    keep_sets([order.pk], now=timezone.now())
    return Way(fleet, PlacedOrderSet.objects.select_related("order").get(order=order))


def grow_old() -> None:
    """Let all fills be a minute old, so that positions surely show them."""
    for fill in LegFill.objects.all():
        LegFill.objects.filter(pk=fill.pk).update(at=fill.at - AGE)


def fill_by_hand(fleet: Fleet, child: AccountOrder, quantity: int | None = None) -> None:
    """Let the broker fill an order now."""
    assert child.broker_order_id is not None
    more = {} if quantity is None else {"quantity": quantity}
    fleet.broker.fill(child.broker_order_id, **more)
