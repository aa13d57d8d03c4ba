"""Placed order sets: what was filled, what of it exits have closed, and what is still held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet

from accounts.models import Account
from accounts.selectors import held_by
from orders.domain.bookmarks import (
    NOTHING,
    Filled,
    Quantities,
    Ratios,
    SetStatus,
    begun_units,
    entry_price,
    held_of,
    left_of,
    whole_units,
)
from orders.domain.exits import AT_WORK, ExitState
from orders.models import OrderLeg, PlacedOrderSet
from orders.selectors.exit_steps import StepRow, Steps, by_account, gone_otherwise
from orders.selectors.external import touching
from orders.selectors.filled import (
    Bookmarks,
    FilledLegs,
    quantities_of,
    sent_accounts,
)
from orders.selectors.ground import Ground
from strategies.domain.reversal import reverse_legs
from strategies.domain.tickets import Instruction, Leg


@dataclass(frozen=True, slots=True)
class SetOrder:
    """The broadcast that a set is the bookmark of."""

    id: int
    strategy: str
    name: str
    underlying: str
    expiration: date | None
    price_effect: str | None
    limit: Decimal | None
    contracts: int
    legs: Sequence[OrderLeg]

    @property
    def closing_legs(self) -> Sequence[Leg]:
        """The legs of one unit's exit."""
        return reverse_legs(
            [Leg(leg.symbol, Instruction(leg.instruction), leg.ratio) for leg in self.legs]
        )


class SetLeg(NamedTuple):
    """One leg in one account: what was filled, and what the broker reports, whoever it is for."""

    symbol: str
    bookmarked: Decimal
    held: Decimal | None


class SetAccount(NamedTuple):
    """One account's part of a set, in units of the strategy.

    Args:
        id: of the account.
        bookmarked: whole units that were filled.
        held: whole units of what no exit of the set has closed that the broker reported at
            `read_at`; None before its first report.
        residual: units that an exit still has to close, wholly or in part.
        filled: by symbol, in the order of the legs.
        reported: what the broker last said that the account holds; None before its first report.
        residual_by_leg: in the order of the legs, signed as the position that it is.
        state: of its latest exit step, `step_id`; empty before the first exit.
        entry_price: USD per unit, the average of all attempts; None while a leg has no fill.
    """

    id: UUID
    alias: str
    mask: str
    bookmarked: int
    held: int | None
    residual: int
    filled: Quantities
    reported: Quantities | None
    residual_by_leg: Mapping[str, int]
    state: str
    why: str
    step_id: int | None
    is_flat: bool
    read_at: datetime | None
    entry_price: Decimal | None

    @property
    def by_leg(self) -> list[SetLeg]:
        """In the order of the legs."""
        reported = self.reported
        return [
            SetLeg(symbol, quantity, None if reported is None else reported.get(symbol, NOTHING))
            for symbol, quantity in self.filled.items()
        ]


@dataclass(frozen=True, slots=True)
class SetExit:
    """The closing order at work."""

    id: int
    status: str
    broadcast_ms: float | None


@dataclass(frozen=True, slots=True)
class SetRow:
    """One placed order set, with an entry per account in which anything was filled.

    Args:
        sent_accounts: to how many accounts the broadcast was sent.
        elsewhere: orders made elsewhere that touched it.
    """

    id: int
    order: SetOrder
    created_at: datetime
    flat_at: datetime | None
    accounts: Sequence[SetAccount]
    sent_accounts: int
    elsewhere: int
    exit: SetExit | None

    @property
    def status(self) -> SetStatus:
        """How far the whole set has come."""
        if self.flat_at is not None:
            return SetStatus.FLAT
        if self.exit is not None:
            return SetStatus.CLOSING
        has_residual = any(account.state == ExitState.RESIDUAL for account in self.accounts)
        return SetStatus.RESIDUAL if has_residual else SetStatus.OPEN

    @property
    def accounts_total(self) -> int:
        return len(self.accounts)

    @property
    def flat_accounts(self) -> int:
        return sum(account.is_flat for account in self.accounts)


def list_sets(
    *, open_only: bool = False, before: int | None = None, most: int = 100
) -> list[SetRow]:
    """Return the newest sets first, in six queries whatever their number.

    Args:
        open_only: leave out those that are flat.
        before: only those with lower numbers.
    """
    which = None if before is None else Q(pk__lt=before)
    return rows_of(Ground(sets=newest_sets(which, open_only=open_only, most=most)))


def newest_sets(
    which: Q | None = None, *, open_only: bool = False, most: int | None = 100
) -> QuerySet[PlacedOrderSet]:
    """Ask for sets as `list_sets` does, for `rows_of`; with None as `most` for all of them."""
    sets = PlacedOrderSet.objects.filter(which or Q()).order_by("-pk")
    if open_only:
        sets = sets.filter(flat_at__isnull=True)
    return _counted(sets)[:most]


def find_set(pk: int) -> SetRow | None:
    """Return one set, or None if there is none of that number, in six queries."""
    found = rows_of(Ground(sets=_counted(PlacedOrderSet.objects.filter(pk=pk))))
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Facts:
    """All that is on record about some sets; accounts in grid order, steps oldest first."""

    legs: Mapping[int, Sequence[OrderLeg]]
    filled: FilledLegs
    closed: Bookmarks
    accounts: Sequence[Account]
    held: Mapping[UUID, Quantities]
    steps: Steps


def rows_of(ground: Ground) -> list[SetRow]:
    """Return the sets of a page, in five queries beside their own."""
    if not ground.sets:
        return []
    facts = _look_up(ground)
    return [_row(one, facts) for one in ground.sets]


def _counted(sets: QuerySet[PlacedOrderSet]) -> QuerySet[PlacedOrderSet]:
    counted = sets.annotate(sent=sent_accounts(OuterRef("order")), touched=touching(OuterRef("pk")))
    return counted.select_related("order").defer("order__allocation")


def _look_up(ground: Ground) -> _Facts:
    order_ids = [one.order_id for one in ground.sets]
    filled, closed = ground.filled
    ids = {account for pk in order_ids for account in filled.get(pk, ())}
    symbols = {leg.symbol for pk in order_ids for leg in ground.legs[pk]}
    return _Facts(
        legs=ground.legs,
        filled=filled,
        closed=quantities_of(closed),
        accounts=ground.accounts,
        held=held_by(ids, symbols),
        steps=by_account(ground.steps),
    )


def _row(one: PlacedOrderSet, facts: _Facts) -> SetRow:
    order, legs = one.order, facts.legs[one.order_id]
    filled = facts.filled.get(order.pk, {})
    members = [account for account in facts.accounts if account.pk in filled]
    steps = [step for account in members for step in facts.steps.get((one.pk, account.pk), ())]
    return SetRow(
        id=one.pk,
        order=SetOrder(
            id=order.pk,
            strategy=order.strategy,
            name=order.name,
            underlying=order.underlying,
            expiration=order.expiration,
            price_effect=order.price_effect or None,
            limit=order.limit,
            contracts=order.contracts,
            legs=legs,
        ),
        created_at=one.created_at,
        flat_at=one.flat_at,
        accounts=[_account(one, account, facts) for account in members],
        sent_accounts=getattr(one, "sent", None) or 0,
        elsewhere=getattr(one, "touched", None) or 0,
        exit=_exit_at_work(steps),
    )


def _exit_at_work(steps: Sequence[StepRow]) -> SetExit | None:
    """Return the newest closing order that has something to do in an account."""
    working = {
        step.order_id: SetExit(step.order_id, step.order_status or "", step.broadcast_ms)
        for step in steps
        if step.order_id is not None and step.closed_at is None and step.state in AT_WORK
    }
    return working[max(working)] if working else None


def _account(one: PlacedOrderSet, account: Account, facts: _Facts) -> SetAccount:
    ratios: Ratios = {leg.symbol: leg.ratio for leg in facts.legs[one.order_id]}
    filled = facts.filled[one.order_id][account.pk]
    bookmarked = {symbol: _quantity(filled.get(symbol)) for symbol in ratios}
    steps = facts.steps.get((one.pk, account.pk), ())
    closed = facts.closed.get(one.pk, {}).get(account.pk, {})
    left = left_of(bookmarked, closed, gone_otherwise(steps)) if closed or steps else bookmarked
    reported = None if account.positions_at is None else facts.held[account.pk]
    held = None if reported is None else held_of(left, reported)
    latest = steps[-1] if steps else None
    residual = latest.to_close if latest else {}
    return SetAccount(
        id=account.pk,
        alias=account.alias,
        mask=account.mask,
        bookmarked=whole_units(bookmarked, ratios),
        held=None if held is None else whole_units(held, ratios),
        residual=_units(residual, ratios),
        filled=bookmarked,
        reported=reported,
        residual_by_leg=residual,
        state=latest.state if latest else "",
        why=latest.why if latest else "",
        step_id=latest.id if latest else None,
        is_flat=bool(latest and latest.flat_at and not any((held or left).values())),
        read_at=account.positions_at,
        entry_price=entry_price(filled, ratios),
    )


def _units(residual: Mapping[str, int], ratios: Ratios) -> int:
    return begun_units({s: Decimal(n) for s, n in residual.items()}, ratios) if residual else 0


def _quantity(leg: Filled | None) -> Decimal:
    return NOTHING if leg is None else leg.quantity
