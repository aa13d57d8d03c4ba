"""Broadcasts as pages and API show them: the parent, its legs, each account's latest attempt."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from orders.domain.allocation import Share
from orders.domain.exits import ExitState
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, ComplexOrder, ExitStep, OrderLeg, PriceLadder

NOTHING_HELD = "Nothing of the set was held any more."


@dataclass(frozen=True, slots=True)
class AccountShare:
    """One account's latest attempt, `child_id`; `id` is the account's. Prices are USD per unit."""

    id: UUID
    alias: str
    status: str
    reason_code: str
    reason: str
    contracts: int
    broker_order_id: str | None = None
    filled: Decimal = Decimal(0)
    net_price: Decimal | None = None
    sent_at: datetime | None = None
    needs_agent: bool = False
    broker_text: str = ""
    child_id: UUID | None = None
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShownLadder:
    """How the limit of a broadcast moves, or moved until `stopped_at`.

    Args:
        limit: where it is now; USD per unit, as step and bound.
        why: what it stopped for, or waits for; empty while it goes on.
    """

    limit: Decimal | None
    step: Decimal
    every_s: int
    bound: Decimal
    next_at: datetime | None
    steps_taken: int
    stopped_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One complex order with everything shown of it."""

    id: int
    status: str
    strategy: str
    name: str
    underlying: str
    expiration: date | None
    order_type: str
    price_effect: str | None
    limit: Decimal | None
    stop: Decimal | None
    duration: str
    session: str
    contracts: int
    purpose: str
    created_at: datetime
    clicked_at: datetime
    broadcast_ms: float | None
    legs: Sequence[OrderLeg]
    accounts: Sequence[AccountShare]
    ladder: ShownLadder | None = None

    @property
    def filled_accounts(self) -> int:
        return sum(share.status == "FILLED" for share in self.accounts)

    @property
    def sent_accounts(self) -> int:
        return sum(share.status != "SKIPPED" for share in self.accounts)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of broadcasts is narrowed to; None means all."""

    status: str | None = None
    strategy: str | None = None
    underlying: str | None = None
    account: UUID | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    before: int | None = None


def find_broadcast(pk: int) -> Broadcast | None:
    """Return one broadcast, or None if there is none of that number."""
    found = _broadcasts(ComplexOrder.objects.filter(pk=pk))
    return found[0] if found else None


def strategy_of(pk: int) -> str | None:
    """Return the strategy of a broadcast, or None if there is none of that number."""
    return ComplexOrder.objects.filter(pk=pk).values_list("strategy", flat=True).first()


def effect_words(order_type: str, price_effect: str | None) -> str:
    """Return what stands before a price: `CREDIT`, `LIMIT`; the order type where there is none."""
    return (price_effect or order_type).removeprefix("NET_").replace("_", " ")


class Told(Protocol):
    """What an account's latest attempt says of itself."""

    @property
    def status(self) -> str: ...

    @property
    def reason_code(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def broker_text(self) -> str: ...


def words_of(share: Told) -> str:
    """Say why an account's order is where it is; the broker's own words for a rejection."""
    own = share.reason or share.reason_code.replace("_", " ").capitalize()
    return (share.broker_text or own) if share.status == Status.REJECTED else own


def fresh_broadcast(
    order: ComplexOrder,
    legs: Sequence[OrderLeg],
    shares: Sequence[Share],
    ladder: PriceLadder | None = None,
) -> Broadcast:
    """Return a broadcast as it was written a moment ago, without reading it.

    A read would hold off the claim, which waits for the same database.
    """
    accounts = [
        AccountShare(
            id=share.account_id,
            alias=share.alias,
            status=Status.SKIPPED if share.reason_code else Status.READY,
            reason_code=share.reason_code or "",
            reason=share.reason,
            contracts=share.contracts,
        )
        for share in shares
    ]
    return _broadcast(order, legs, accounts, ladder)


def list_broadcasts(filters: Filters, *, most: int = 100) -> list[Broadcast]:
    """Return the newest broadcasts first, in three queries whatever their number."""
    rows = ComplexOrder.objects.order_by("-pk")
    wanted: Mapping[str, Any] = {
        "status": filters.status,
        "strategy": filters.strategy,
        "underlying": filters.underlying,
        "children__account_id": filters.account,
        "clicked_at__gte": filters.placed_from,
        "clicked_at__lt": filters.placed_to,
        "pk__lt": filters.before,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    return _broadcasts(rows.distinct()[:most])


def _broadcasts(rows: QuerySet[ComplexOrder]) -> list[Broadcast]:
    orders = list(rows.select_related("ladder").defer("allocation"))
    ids = [order.pk for order in orders]
    legs: dict[int, list[OrderLeg]] = defaultdict(list)
    for leg in OrderLeg.objects.filter(order__in=ids):
        legs[leg.order_id].append(leg)
    shares = latest_shares(ids)
    exits = [order.pk for order in orders if order.closes_id is not None]
    if exits:
        _add_steps(exits, shares)
    return [
        _broadcast(
            order,
            legs[order.pk],
            list(shares.get(order.pk, {}).values()),
            getattr(order, "ladder", None),  # read with the order; most have none
        )
        for order in orders
    ]


_Shares = dict[int, dict[UUID, AccountShare]]


def _add_steps(order_ids: Collection[int], shares: _Shares) -> None:
    """Show accounts of an exit for which nothing was sent: what they wait for, or why not."""
    steps = (
        ExitStep.objects.filter(order__in=order_ids, child__isnull=True)
        .order_by("account__position")
        .values_list("order_id", "account_id", "account__alias", "state", "why", "plan")
    )
    for order_id, account_id, alias, state, why, plan in steps:
        if account_id not in shares.get(order_id, {}):
            units = min((abs(quantity) for quantity in plan.values()), default=0)
            status = Status.READY if state == ExitState.WAITING else Status.SKIPPED
            words = why or (NOTHING_HELD if state == ExitState.DONE else "")
            share = AccountShare(account_id, alias, status, "", words, units)
            shares.setdefault(order_id, {})[account_id] = share


def latest_shares(order_ids: Collection[int]) -> _Shares:
    """Return each broadcast's latest attempts in grid order, by account."""
    latest: _Shares = defaultdict(dict)
    rows = (
        AccountOrder.objects.filter(
            order__in=order_ids, account__login__environment=settings.ENVIRONMENT
        )
        .order_by("account__position", "attempt")
        .values_list(
            "order_id",
            "account_id",
            "account__alias",
            "status",
            "reason_code",
            "reason",
            "contracts",
            "broker_order_id",
            "filled",
            "net_price",
            "sent_at",
            "needs_agent",
            "broker_text",
            "pk",
            "claimed_at",
        )
    )
    for row in rows:
        share = AccountShare(*row[1:])
        latest[row[0]][share.id] = share
    return latest


def _broadcast(
    order: ComplexOrder,
    legs: Sequence[OrderLeg],
    shares: Sequence[AccountShare],
    ladder: PriceLadder | None,
) -> Broadcast:
    return Broadcast(
        id=order.pk,
        status=order.status,
        strategy=order.strategy,
        name=order.name,
        underlying=order.underlying,
        expiration=order.expiration,
        order_type=order.order_type,
        price_effect=order.price_effect or None,
        limit=order.limit,
        stop=order.stop,
        duration=order.duration,
        session=order.session,
        contracts=order.contracts,
        purpose=order.purpose,
        created_at=order.created_at,
        clicked_at=order.clicked_at,
        broadcast_ms=order.broadcast_ms,
        legs=legs,
        accounts=shares,
        ladder=None if ladder is None else ladder_of(order, ladder),
    )


def ladder_of(order: ComplexOrder, ladder: PriceLadder) -> ShownLadder:
    """Return how the limit of an order moves."""
    return ShownLadder(
        limit=order.limit,
        step=ladder.step,
        every_s=ladder.every_s,
        bound=ladder.bound,
        next_at=ladder.next_at,
        steps_taken=ladder.steps_taken,
        stopped_at=ladder.stopped_at,
        why=ladder.why,
    )
