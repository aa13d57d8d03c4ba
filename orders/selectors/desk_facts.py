"""What is on record about the broadcasts that a desk lists, read as rows: thousands of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, Value, When

from orders.domain.exits import ExitState
from orders.domain.lifecycle import TERMINAL, ParentStatus, Status, any_of
from orders.models import AccountOrder, ComplexOrder, OrderLeg
from orders.selectors.exit_steps import StepRow
from orders.selectors.ground import Ground
from orders.selectors.showing import NOTHING_HELD
from strategies.domain.tickets import Strategy

_CENT = Decimal("0.01")
_LIVE = any_of(frozenset(Status) - TERMINAL)
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

    account_id: UUID
    status: str
    reason_code: str
    reason: str
    filled: Decimal
    net_price: Decimal | None
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
        shares: by broadcast, the latest attempt in every account.
        fills: by broadcast, what its attempts have filled and at which net price in USD.
        aliases: of all accounts, in grid order.
    """

    orders: Sequence[ComplexOrder]
    legs: Mapping[int, Sequence[RowLeg]]
    shares: Mapping[int, Mapping[UUID, Share]]
    fills: Mapping[int, Sequence[tuple[Decimal, Decimal]]]
    aliases: Mapping[UUID, str]


def desk_facts(ground: Ground) -> DeskFacts:
    """Read all that is on record of the broadcasts, in four queries or five."""
    orders = ground.orders
    shares, fills = _shares([order.pk for order in orders])
    if any(order.closes_id is not None for order in orders):
        _add_steps(ground.steps, shares)
    return DeskFacts(
        orders=orders,
        legs={pk: [_leg(leg) for leg in legs] for pk, legs in ground.legs.items()},
        shares=shares,
        fills=fills,
        aliases={account.pk: account.alias for account in ground.accounts},
    )


def desk_orders(kind: Kind, *, most: int, newest: int) -> QuerySet[ComplexOrder]:
    """Ask for what is open or needs the agent, and for the newest of all.

    Args:
        most: how many are read, with one more that tells of the rest.
        newest: how many of the newest are among them, whatever became of them.
    """
    of_kind = ComplexOrder.objects.filter(kind.orders)
    live = AccountOrder.objects.filter(status__in=_LIVE).values("order_id")
    is_open = Q(pk__in=live) | Q(status__in=any_of(OPEN_PARENTS))
    wanted = is_open | Q(pk__in=of_kind.order_by("-pk").values("pk")[:newest])
    place = Case(
        When(status=ParentStatus.NEEDS_AGENT, then=0), When(is_open, then=1), default=Value(2)
    )
    rows = of_kind.filter(wanted).select_related("ladder", "placed_order_set")
    return rows.defer("allocation").order_by(place, "-pk")[: most + 1]


def _leg(leg: OrderLeg) -> RowLeg:
    average: Decimal | None = getattr(leg, "average", None)
    at = None if average is None else average.quantize(_CENT)
    return RowLeg(leg.symbol, leg.instruction, leg.ratio, at)


_Shares = dict[int, dict[UUID, Share]]
_Fills = dict[int, list[tuple[Decimal, Decimal]]]


def _shares(ids: Collection[int]) -> tuple[_Shares, _Fills]:
    """Return the latest attempts, and what all attempts have filled."""
    shares: _Shares = defaultdict(dict)
    fills: _Fills = defaultdict(list)
    is_told = Q(needs_agent=True) | Q(status__in=any_of(TOLD))
    rows = (
        AccountOrder.objects.filter(order__in=ids)
        .order_by("attempt")
        .annotate(
            # Reading a number or a time takes as long as the rest of the row; few are shown.
            told_id=Case(When(is_told, then=F("pk"))),
            told_at=Case(When(is_told, then=F("claimed_at"))),
        )
    )
    for row in rows.values_list(
        "order_id",
        "account_id",
        "status",
        "reason_code",
        "reason",
        "filled",
        "net_price",
        "needs_agent",
        "broker_text",
        "told_id",
        "told_at",
        "cancel_asked_at",
    ):
        share = Share(*row[1:])
        shares[row[0]][share.account_id] = share
        if share.filled and share.net_price is not None:
            fills[row[0]].append((share.filled, share.net_price))
    return shares, fills


def _add_steps(steps: Sequence[StepRow], shares: _Shares) -> None:
    """Show accounts of an exit for which nothing was sent: what they wait for, or why not."""
    for step in steps:
        if step.order_id is None or step.child_id is not None:
            continue
        status = Status.READY if step.state == ExitState.WAITING else Status.SKIPPED
        words = step.why or (NOTHING_HELD if step.state == ExitState.DONE else "")
        share = Share(
            step.account_id, status, "", words, Decimal(0), None, False, "", None, None, None
        )
        shares[step.order_id].setdefault(step.account_id, share)
