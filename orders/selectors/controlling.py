"""What the pages of placed order sets show beside the sets: sums, and what exits left over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from accounts.selectors import fleet_numbers
from orders.domain.exits import MOST_PERCENT, ExitState, Pricing
from orders.models import ExitStep, PlacedOrderSet
from orders.selectors.set_lines import SetLine, may_be_exited
from orders.selectors.set_rows import SetAccount, SetRow


class LeftLeg(NamedTuple):
    """What is left of one leg: the position, negative where the account is short."""

    symbol: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Leftover:
    """What an exit left to the agent in one account, and how it was to be closed.

    Args:
        is_open: False once it was tried again or handled.
        percent: of the set, that closes just this once more.
        is_whole: whether all legs of the set are left: only then a limit can be its price.
    """

    step_id: int
    set_id: int
    account_id: UUID
    alias: str
    legs: Sequence[LeftLeg]
    why: str
    is_open: bool
    pricing: Pricing
    limit: Decimal | None
    percent: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class SetAccountLine:
    """One account of a set, with its latest exit step."""

    account: SetAccount
    step: ExitStep | None

    @property
    def handled_why(self) -> str:
        return self.step.handled_why if self.step else ""

    @property
    def read_at(self) -> datetime | None:
        """When the broker was last asked what it holds, for all or for its exit."""
        asked = [at for at in (self.account.read_at, self.step and self.step.read_at) if at]
        return max(asked, default=None)

    @property
    def is_handled(self) -> bool:
        return bool(self.handled_why)

    @property
    def may_be_exited(self) -> bool:
        return may_be_exited(self.account)

    @property
    def why(self) -> str:
        """What it waits for, what is left, or how that was dealt with."""
        return self.handled_why or self.account.why


@dataclass(frozen=True, slots=True)
class SetPage:
    """One set with its residual board."""

    line: SetLine
    accounts: Sequence[SetAccountLine]
    board: Sequence[Leftover]


def sets_version() -> str:
    """Return the tag of what is shown of sets: events and reads of positions change it."""
    now = fleet_numbers()
    return f"{now.events}-{now.positions_at.timestamp() if now.positions_at else 0}"


def set_page(row: SetRow) -> SetPage:
    """Add to a set what its accounts' latest exit steps say, in one query."""
    ids = [one.step_id for one in row.accounts if one.step_id is not None]
    steps = {step.pk: step for step in _steps(ids)}
    lines = [
        SetAccountLine(one, None if one.step_id is None else steps.get(one.step_id))
        for one in row.accounts
    ]
    board = [
        _leftover(steps[one.step_id], one)
        for one in row.accounts
        if one.step_id in steps and one.state == ExitState.RESIDUAL
    ]
    return SetPage(SetLine(row), lines, board)


def find_leftover(row: SetRow, step_id: int) -> Leftover | None:
    """Return what a step of this set left over, also when that is settled by now."""
    members = {one.id: one for one in row.accounts}
    step = _steps([step_id]).filter(placed_order_set=row.id, account__in=members).first()
    return None if step is None else _leftover(step, members[step.account_id])


def find_placed_set(pk: int) -> PlacedOrderSet | None:
    """Return the set itself, with the broadcast that it is the bookmark of."""
    return PlacedOrderSet.objects.select_related("order").filter(pk=pk).first()


def percent_of(bookmarked: int, units: int) -> int:
    """Return the percent of a bookmark that comes to these units, and to no more than them."""
    if not 0 < units < bookmarked:
        return MOST_PERCENT
    percent = ceil(MOST_PERCENT * units / bookmarked)
    is_more = bookmarked * percent // MOST_PERCENT > units
    return max(percent - 1, 1) if is_more else percent


def _steps(ids: Collection[int]) -> QuerySet[ExitStep]:
    return ExitStep.objects.filter(pk__in=ids).select_related("order", "account")


def _leftover(step: ExitStep, account: SetAccount) -> Leftover:
    order = step.order
    legs = [LeftLeg(symbol, quantity) for symbol, quantity in step.residual.items() if quantity]
    units = max((abs(leg.quantity) for leg in legs), default=0)
    was_all = order is None or order.percent == MOST_PERCENT
    return Leftover(
        step_id=step.pk,
        set_id=step.placed_order_set_id,
        account_id=step.account_id,
        alias=step.account.alias,
        legs=legs,
        why=step.why,
        is_open=step.state == ExitState.RESIDUAL and step.closed_at is None,
        pricing=Pricing(order.pricing) if order and order.pricing else Pricing.MID,
        limit=order.limit if order and order.pricing == Pricing.LIMIT else None,
        percent=MOST_PERCENT if was_all else percent_of(account.bookmarked, units),
        is_whole=len(legs) == len(account.by_leg),
    )
