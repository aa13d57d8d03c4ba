"""Placed order sets: what was filled, what of it exits have closed, and what is still held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet

from accounts.selectors import held_by
from orders.domain.bookmarks import (
    NOTHING,
    Filled,
    Quantities,
    Ratios,
    begun_units,
    entry_price,
    held_of,
    left_of,
    whole_units,
)
from orders.domain.exits import AT_WORK
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
from orders.selectors.set_rows import SetAccount, SetExit, SetOrder, SetRow


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


class _Account(NamedTuple):
    """What is needed of an account, for each of its sets."""

    id: UUID
    alias: str
    mask: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """All that is on record about some sets; accounts in grid order, steps oldest first."""

    legs: Mapping[int, Sequence[OrderLeg]]
    filled: FilledLegs
    closed: Bookmarks
    accounts: Sequence[_Account]
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
        accounts=[_Account(a.pk, a.alias, a.mask, a.positions_at) for a in ground.accounts],
        held=held_by(ids, symbols),
        steps=by_account(ground.steps),
    )


def _row(one: PlacedOrderSet, facts: _Facts) -> SetRow:
    order, legs = one.order, facts.legs[one.order_id]
    filled = facts.filled.get(order.pk, {})
    members = [account for account in facts.accounts if account.id in filled]
    steps = [step for account in members for step in facts.steps.get((one.pk, account.id), ())]
    ratios = tuple([(leg.symbol, leg.ratio) for leg in legs])
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
        accounts=[_account(one, account, ratios, facts) for account in members],
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


class _Bought(NamedTuple):
    """What an account was filled of a set: by symbol in the order of the legs, and in units."""

    quantities: Quantities
    units: int
    price: Decimal | None


@lru_cache(maxsize=16_384)
def _bought(ratios: tuple[tuple[str, int], ...], legs: tuple[Filled | None, ...]) -> _Bought:
    by_symbol = dict(ratios)
    filled = {s: leg for s, leg in zip(by_symbol, legs, strict=True) if leg is not None}
    quantities = {s: filled[s].quantity if s in filled else NOTHING for s in by_symbol}
    return _Bought(quantities, whole_units(quantities, by_symbol), entry_price(filled, by_symbol))


def _account(
    one: PlacedOrderSet, account: _Account, legs: tuple[tuple[str, int], ...], facts: _Facts
) -> SetAccount:
    filled, ratios = facts.filled[one.order_id][account.id], dict(legs)
    bought = _bought(legs, tuple([filled.get(symbol) for symbol in ratios]))
    left = bought.quantities
    steps = facts.steps.get((one.pk, account.id), ()) if facts.steps else ()
    closed = facts.closed[one.pk].get(account.id, {}) if one.pk in facts.closed else {}
    if closed or steps:
        left = left_of(left, closed, gone_otherwise(steps))
    reported = None if account.read_at is None else facts.held[account.id]
    held = None if reported is None else held_of(left, reported)
    latest = steps[-1] if steps else None
    residual = latest.to_close if latest else {}
    return SetAccount(
        id=account.id,
        alias=account.alias,
        mask=account.mask,
        bookmarked=bought.units,
        held=None if held is None else whole_units(held, ratios),
        residual=_units(residual, ratios),
        filled=bought.quantities,
        reported=reported,
        residual_by_leg=residual,
        state=latest.state if latest else "",
        why=latest.why if latest else "",
        step_id=latest.id if latest else None,
        is_flat=bool(latest and latest.flat_at and not any((held or left).values())),
        read_at=account.read_at,
        entry_price=bought.price,
    )


def _units(residual: Mapping[str, int], ratios: Ratios) -> int:
    return begun_units({s: Decimal(n) for s, n in residual.items()}, ratios) if residual else 0
