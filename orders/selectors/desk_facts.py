"""What is on record about the broadcasts that a desk lists, read as rows: thousands of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, F, Q, Value, When

from accounts.models import Account
from orders.domain.exits import ExitState
from orders.domain.lifecycle import LIVE, ParentStatus, Status, any_of
from orders.models import AccountOrder, ComplexOrder
from orders.selectors.alike import as_read, key_of, number_of
from orders.selectors.exit_steps import StepRow
from orders.selectors.ground import DeskOrder, Ground
from orders.selectors.showing import NOTHING_HELD, ShownLadder
from strategies.domain.tickets import Strategy

# Of these the reader is told why they are where they are.
TOLD = frozenset({Status.FAILED_TO_PLACE, Status.REJECTED, Status.UNKNOWN, Status.SKIPPED})
# Of these something is to come, whatever their account orders say at this moment.
OPEN_PARENTS = frozenset(
    {ParentStatus.READY, ParentStatus.SENDING, ParentStatus.WORKING, ParentStatus.NEEDS_AGENT}
)


class Kind(StrEnum):
    """Which broadcasts a desk is about."""

    OPTIONS = "OPTIONS"
    STOCKS = "STOCKS"

    @property
    def orders(self) -> Q:
        """The condition on a complex order."""
        is_stock = Q(strategy=Strategy.EQUITY)
        return is_stock if self is Kind.STOCKS else ~is_stock

    @property
    def sets(self) -> Q:
        """The condition on a placed order set."""
        is_stock = Q(order__strategy=Strategy.EQUITY)
        return is_stock if self is Kind.STOCKS else ~is_stock


class RowLeg(NamedTuple):
    """One leg of a broadcast; the average fill over all accounts in USD per share, if any."""

    symbol: str
    instruction: str
    ratio: int
    average: Decimal | None


class Share(NamedTuple):
    """Where one account of a broadcast stands: its latest attempt.

    Args:
        child_id: of the attempt; None where nothing is to be told of it, as `claimed_at`.
    """

    filled: Decimal
    net_price: Decimal | None
    status: str
    reason_code: str
    reason: str
    needs_agent: bool
    broker_text: str
    child_id: UUID | None
    claimed_at: datetime | None
    cancel_asked_at: datetime | None

    @property
    def is_leaving(self) -> bool:
        """Whether it works, and its cancel is on its way."""
        return self.cancel_asked_at is not None and self.status == Status.WORKING


@dataclass(frozen=True, slots=True)
class DeskFacts:
    """All that is on record of some broadcasts.

    Args:
        orders: those that need the agent first, then those of which something works, then the
            rest; each newest first. One more than was asked for tells that there are more.
        shares: by broadcast, the latest attempt in every account, by its place in the grid.
        fills: by broadcast, what its attempts have filled and at which net price in USD.
        aliases: of all accounts, in grid order.
    """

    orders: Sequence[DeskOrder]
    legs: Mapping[int, Sequence[RowLeg]]
    shares: Mapping[int, Mapping[int, Share]]
    fills: Mapping[int, Sequence[tuple[Decimal, Decimal]]]
    aliases: Sequence[str]


_OF_ORDER = (
    *("limit", "id", "name", "underlying", "order_type", "price_effect"),
    *("stop", "contracts", "duration", "session", "purpose", "status"),
    *("closes_id", "clicked_at", "broadcast_ms", "placed_order_set"),
)
_OF_LADDER = (
    *("ladder__step", "ladder__every_s", "ladder__bound", "ladder__next_at"),
    *("ladder__steps_taken", "ladder__stopped_at", "ladder__why"),
)


def desk_facts(ground: Ground) -> DeskFacts:
    """Read all that is on record of the broadcasts, in four queries or five."""
    orders = ground.orders
    places = Places(ground.accounts)
    shares, fills = _shares([order.id for order in orders], places)
    if any(order.closes_id is not None for order in orders):
        _add_steps(ground.steps, shares, places)
    return DeskFacts(
        orders=orders,
        legs=_legs(ground),
        shares=shares,
        fills=fills,
        aliases=tuple([account.alias for account in ground.accounts]),
    )


def desk_orders(kind: Kind, *, most: int, newest: int) -> Iterator[DeskOrder]:
    """Yield what is open or needs the agent, and the newest of all; asked for when it begins.

    Args:
        most: how many are read, with one more that tells of the rest.
        newest: how many of the newest are among them, whatever became of them.
    """
    of_kind = ComplexOrder.objects.filter(kind.orders)
    live = AccountOrder.objects.filter(status__in=any_of(LIVE)).values("order_id")
    is_open = Q(pk__in=live) | Q(status__in=any_of(OPEN_PARENTS))
    wanted = is_open | Q(pk__in=of_kind.order_by("-pk").values("pk")[:newest])
    place = Case(
        When(status=ParentStatus.NEEDS_AGENT, then=0), When(is_open, then=1), default=Value(2)
    )
    rows = of_kind.filter(wanted).order_by(place, "-pk")[: most + 1]
    found: Iterable[tuple[Any, ...]] = rows.values_list(*_OF_ORDER, *_OF_LADDER)
    for row in found:
        ladder = row[len(_OF_ORDER) :]
        values = [*row[: len(_OF_ORDER)], ShownLadder(row[0], *ladder) if any(ladder) else None]
        yield DeskOrder(*values)


def _legs(ground: Ground) -> dict[int, list[RowLeg]]:
    averages = ground.averages
    return {
        pk: [
            RowLeg(leg.symbol, leg.instruction, leg.ratio, averages.get((pk, leg.symbol)))
            for leg in legs
        ]
        for pk, legs in ground.legs.items()
    }


class Places(dict[str | UUID, int]):
    """The place of each account in the grid, by its key as it is read; below zero if it has none.

    To find something by a UUID takes several times as long as by a text or a number.
    """

    def __init__(self, accounts: Sequence[Account]) -> None:
        super().__init__()
        self._known = {account.pk: place for place, account in enumerate(accounts)}

    def __missing__(self, key: str | UUID) -> int:
        place = self[key] = self._known.get(key_of(key), -1 - len(self))
        return place


_Shares = dict[int, dict[int, Share]]
_Fills = dict[int, list[tuple[Decimal, Decimal]]]


def _shares(ids: Collection[int], places: Places) -> tuple[_Shares, _Fills]:
    """Return the latest attempts, and what all attempts have filled."""
    shares: _Shares = defaultdict(dict)
    fills: _Fills = defaultdict(list)
    is_told = Q(needs_agent=True) | Q(status__in=any_of(TOLD))
    rows = (
        AccountOrder.objects.filter(order__in=ids)
        .order_by("attempt")
        .annotate(
            key=as_read("account"),
            units=as_read("filled"),
            at=as_read("net_price"),
            # Of few there is something to be told.
            told_id=Case(When(is_told, then=F("pk"))),
            told_at=Case(When(is_told, then=F("claimed_at"))),
        )
    )
    for row in rows.values_list(
        *("order_id", "key", "units", "at"),
        *("status", "reason_code", "reason", "needs_agent", "broker_text"),
        *("told_id", "told_at", "cancel_asked_at"),
    ):
        order, key, units, at = row[:4]
        filled, net_price = number_of(units), None if at is None else number_of(at)
        shares[order][places[key]] = Share(filled, net_price, *row[4:])
        if filled and net_price is not None:
            fills[order].append((filled, net_price))
    return shares, fills


def _add_steps(steps: Sequence[StepRow], shares: _Shares, places: Places) -> None:
    """Show accounts of an exit for which nothing was sent: what they wait for, or why not."""
    for step in steps:
        if step.order_id is None or step.child_id is not None:
            continue
        status = Status.READY if step.state == ExitState.WAITING else Status.SKIPPED
        words = step.why or (NOTHING_HELD if step.state == ExitState.DONE else "")
        share = Share(Decimal(0), None, status, "", words, False, "", None, None, None)
        shares[step.order_id].setdefault(places[step.account_id], share)
