"""All there is to know of one broadcast: its accounts, its prices, where its milliseconds went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Min

from orders.domain.exits import ExitState
from orders.domain.lifecycle import TERMINAL, Status
from orders.domain.timings import Moments, Timings, time_broadcast
from orders.models import AccountOrder, ComplexOrder, ExitStep, LegFill, PlacedOrderSet
from orders.selectors.history_life import Happening, happenings_of
from orders.selectors.history_rows import HistoryRow, grid_places, rows_of_orders
from orders.selectors.showing import NOTHING_HELD, words_of

_CAN_BE_RETRIED = frozenset({Status.FAILED_TO_PLACE, Status.REJECTED})


class _Found(NamedTuple):
    """One account order as it is read."""

    child_id: UUID
    alias: str
    attempt: int
    status: str
    reason_code: str
    reason: str
    broker_text: str
    contracts: int
    filled: Decimal
    net_price: Decimal | None
    broker_order_id: str | None
    claimed_at: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None
    needs_agent: bool
    successor: int | None


@dataclass(frozen=True, slots=True)
class AccountPart:
    """One account's order, an attempt of its own; the price in USD per unit.

    Args:
        sent_ms, answered_ms: since the click.
        successor: the attempt that took its place.
    """

    child_id: UUID | None
    alias: str
    attempt: int
    status: str
    why: str
    contracts: int
    filled: Decimal
    net_price: Decimal | None = None
    broker_order_id: str = ""
    sent_ms: float | None = None
    answered_ms: float | None = None
    needs_agent: bool = False
    successor: int | None = None


@dataclass(frozen=True, slots=True)
class Allotted:
    """What the allocation statement says of one account; `why` is empty unless it is left out."""

    alias: str
    contracts: int
    why: str


@dataclass(frozen=True, slots=True)
class Related:
    """Another broadcast that belongs to this one."""

    id: int
    name: str
    status: str
    clicked_at: datetime


@dataclass(frozen=True, slots=True)
class BroadcastDetail:
    """One broadcast with everything that is shown of it.

    Args:
        row: the same as the history lists it.
        parts: every attempt in every account, in grid order.
        overridden: what the guards objected to and the agent confirmed, by code.
        prices: by net price, in how many account orders it was filled.
        set_id: the set that it is the bookmark of.
    """

    row: HistoryRow
    agent: str
    parts: Sequence[AccountPart]
    allotted: Sequence[Allotted]
    happenings: Sequence[Happening]
    overridden: Mapping[str, str]
    prices: Mapping[Decimal, int]
    timings: Timings
    set_id: int | None
    opened_by: Related | None
    exits: Sequence[Related]

    @property
    def order(self) -> ComplexOrder:
        return self.row.order

    @property
    def is_at_work(self) -> bool:
        return any(part.status not in TERMINAL for part in self.parts)

    @property
    def failed(self) -> int:
        """In how many accounts it can be retried."""
        statuses = self.row.statuses
        return 0 if self.row.is_exit else sum(statuses.get(one, 0) for one in _CAN_BE_RETRIED)

    @property
    def is_exit(self) -> bool:
        return self.row.is_exit

    @property
    def given(self) -> list[Allotted]:
        return [one for one in self.allotted if not one.why]

    @property
    def left_out(self) -> list[Allotted]:
        return [one for one in self.allotted if one.why]

    @property
    def contracts(self) -> int:
        """What was to go out in all."""
        return sum(one.contracts for one in self.given)


def find_detail(order_id: int) -> BroadcastDetail | None:
    """Return one broadcast with all its account orders, in ten queries at most."""
    order = ComplexOrder.objects.select_related(
        "agent", "placed_order_set", "closes__order"
    ).filter(pk=order_id)
    for one in order:
        return _detail(one)
    return None


def _detail(order: ComplexOrder) -> BroadcastDetail:
    (row,) = rows_of_orders({order.pk: order}, places=grid_places())
    found = _found(order.pk)
    happenings = happenings_of(f"complexorder:{order.pk}")
    own_set: PlacedOrderSet | None = getattr(order, "placed_order_set", None)
    return BroadcastDetail(
        row=row,
        agent=order.agent.get_username(),
        parts=[*(_part(one, order.clicked_at) for one in found), *_never_sent(order)],
        allotted=_allotted(order.allocation),
        happenings=happenings,
        overridden=_overridden(happenings),
        prices=_prices(found),
        timings=_timings(order, found),
        set_id=None if own_set is None else own_set.pk,
        opened_by=None if order.closes is None else _related(order.closes.order),
        exits=[]
        if own_set is None
        else [_related(one) for one in own_set.exits.defer("allocation")],
    )


def _found(order_id: int) -> list[_Found]:
    rows = AccountOrder.objects.filter(order=order_id).order_by("account__position", "attempt")
    return [
        _Found(*row)
        for row in rows.values_list(
            "pk",
            "account__alias",
            "attempt",
            "status",
            "reason_code",
            "reason",
            "broker_text",
            "contracts",
            "filled",
            "net_price",
            "broker_order_id",
            "claimed_at",
            "sent_at",
            "answered_at",
            "needs_agent",
            "successor__attempt",
        )
    ]


def _part(one: _Found, clicked_at: datetime) -> AccountPart:
    return AccountPart(
        child_id=one.child_id,
        alias=one.alias,
        attempt=one.attempt,
        status=one.status,
        why=words_of(one),
        contracts=one.contracts,
        filled=one.filled,
        net_price=one.net_price,
        broker_order_id=one.broker_order_id or "",
        sent_ms=_ms(clicked_at, one.sent_at),
        answered_ms=_ms(clicked_at, one.answered_at),
        needs_agent=one.needs_agent,
        successor=one.successor,
    )


def _never_sent(order: ComplexOrder) -> list[AccountPart]:
    """Return the accounts of an exit for which there is no order, and what they wait for."""
    if order.closes_id is None:
        return []
    steps = ExitStep.objects.filter(order=order, child__isnull=True).order_by("account__position")
    return [
        AccountPart(
            child_id=None,
            alias=alias,
            attempt=1,
            status=Status.READY if state == ExitState.WAITING else Status.SKIPPED,
            why=why or (NOTHING_HELD if state == ExitState.DONE else ""),
            contracts=0,
            filled=Decimal(0),
        )
        for alias, state, why in steps.values_list("account__alias", "state", "why")
    ]


def _allotted(statement: Mapping[str, Any]) -> list[Allotted]:
    """Read the allocation statement that was fixed before sending."""
    return [
        Allotted(
            alias=one["alias"],
            contracts=one["contracts"],
            why=(one["why"] or one["left_out"]) if one["left_out"] else "",
        )
        for one in statement.get("accounts", ())
    ]


def _overridden(happenings: Iterable[Happening]) -> dict[str, str]:
    """Return what was confirmed at the click, or at a later one."""
    found: dict[str, str] = {}
    for one in happenings:
        found |= one.data.get("overridden", {})
    return found


def _prices(found: Iterable[_Found]) -> dict[Decimal, int]:
    prices: dict[Decimal, int] = {}
    for one in found:
        if one.filled and one.net_price is not None:
            prices[one.net_price] = prices.get(one.net_price, 0) + 1
    return dict(sorted(prices.items()))


def _timings(order: ComplexOrder, found: Iterable[_Found]) -> Timings:
    """Time the broadcast itself: attempts that were made later are not part of it."""
    first = LegFill.objects.filter(leg__child__order=order.pk).aggregate(at=Min("at"))["at"]
    moments = [
        Moments(one.claimed_at, one.sent_at, one.answered_at) for one in found if one.attempt == 1
    ]
    return time_broadcast(
        clicked_at=order.clicked_at,
        created_at=order.created_at,
        moments=moments,
        first_fill_at=first,
    )


def _related(order: ComplexOrder) -> Related:
    return Related(order.pk, order.name, order.status, order.clicked_at)


def _ms(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - begin).total_seconds() * 1000
