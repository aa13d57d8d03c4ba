"""Load what is on record about exits that are due: their steps, and what closes already."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet, Sum

from orders.domain.exits import AT_WORK, ExitState
from orders.domain.lifecycle import TERMINAL, Purpose, Status, any_of
from orders.models import AccountOrder, AccountOrderLeg, ExitStep, LegFill

# Positions may be reported a moment behind the fills: until then these count as still to come.
POSITIONS_BEHIND = timedelta(seconds=2)
ALIVE = frozenset(Status) - TERMINAL


@dataclass(frozen=True, slots=True)
class CloserLeg:
    """One leg of an order that closes, wherever it comes from, as it stands now."""

    child_id: UUID
    status: str
    symbol: str
    quantity: int
    filled: Decimal


Closers = Mapping[UUID, frozenset[CloserLeg]]


def due_steps(*, now: datetime, order_ids: Collection[int] | None = None) -> QuerySet[ExitStep]:
    """Return the steps that can be carried on: those due, and those whose order has ended.

    Args:
        order_ids: exits to look at whether or not they are due; None for all that are due.
    """
    at_work = ExitStep.objects.filter(
        closed_at__isnull=True,
        state__in=any_of(AT_WORK),
        account__login__environment=settings.ENVIRONMENT,
    )
    has_ended = Q(state=ExitState.CLOSING, child__status__in=any_of(TERMINAL))
    if order_ids is not None:
        is_due = Q(order__in=order_ids) & ~Q(state=ExitState.CLOSING)
    else:
        is_due = Q(due_at__lte=now) & ~Q(state=ExitState.CLOSING)
    return at_work.filter(has_ended | is_due)


def load_steps(*, now: datetime, order_ids: Collection[int] | None = None) -> list[ExitStep]:
    """Return those steps with all that is asked of them, in grid order."""
    related = ["order", "child", "placed_order_set__order", "account__login__token"]
    due = due_steps(now=now, order_ids=order_ids).select_related(*related)
    return list(due.order_by("account__position", "pk"))


def closers_in(accounts: Collection[UUID]) -> Closers:
    """Return the legs of all closing orders of these accounts that are not over.

    Compared with itself a moment later it tells whether anything happened meanwhile.
    """
    rows = AccountOrderLeg.objects.filter(
        child__account__in=accounts,
        child__purpose=Purpose.CLOSE,
        child__status__in=any_of(ALIVE),
    ).values_list("child__account_id", "child_id", "child__status", "symbol", "quantity", "filled")
    found: dict[UUID, set[CloserLeg]] = defaultdict(set)
    for account_id, *leg in rows:
        found[account_id].add(CloserLeg(*leg))
    return {account_id: frozenset(legs) for account_id, legs in found.items()}


def closing_by(
    closers: Closers, *, fresh: Mapping[tuple[UUID, str], int]
) -> Mapping[UUID, Mapping[str, int]]:
    """Return by account and symbol what is on its way to be closed, or was a moment ago."""
    found: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for account_id, legs in closers.items():
        for leg in legs:
            found[account_id][leg.symbol] += leg.quantity - int(leg.filled)
    for (account_id, symbol), quantity in fresh.items():
        found[account_id][symbol] += quantity
    return found


def fresh_fills(accounts: Collection[UUID], *, since: datetime) -> Mapping[tuple[UUID, str], int]:
    """Return what closing orders have filled since then, which positions may not show yet."""
    rows = LegFill.objects.filter(
        leg__child__account__in=accounts, leg__child__purpose=Purpose.CLOSE, at__gte=since
    ).values_list("leg__child__account_id", "leg__symbol", "quantity")
    found: dict[tuple[UUID, str], int] = defaultdict(int)
    for account_id, symbol, quantity in rows:
        found[account_id, symbol] += int(quantity)
    return found


def closed_by_exit(steps: Sequence[ExitStep]) -> Mapping[tuple[int | None, UUID, str], int]:
    """Return what each exit has closed so far, by its order, account and symbol; unsigned."""
    rows = (
        AccountOrderLeg.objects.filter(child__order__in={step.order_id for step in steps})
        .values_list("child__order_id", "child__account_id", "symbol")
        .annotate(Sum("filled"))
    )
    return {(order, account, symbol): int(n) for order, account, symbol, n in rows}


def entry_orders(steps: Sequence[ExitStep]) -> Mapping[tuple[int, UUID], list[AccountOrder]]:
    """Return the account orders of the entries that are not over, by broadcast and account."""
    rows = AccountOrder.objects.filter(
        order__in={step.placed_order_set.order_id for step in steps},
        account__in={step.account_id for step in steps},
        status__in=any_of(ALIVE),
    ).defer("body")
    found: dict[tuple[int, UUID], list[AccountOrder]] = defaultdict(list)
    for child in rows:
        found[child.order_id, child.account_id].append(child)
    return found
