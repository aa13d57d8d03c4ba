"""Load what is on record about exits that are due: their steps, and what closes already."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet, Sum

from accounts.models import BrokerLogin
from orders.domain.lifecycle import TERMINAL, Purpose, Status, any_of
from orders.models import (
    AccountOrder,
    AccountOrderLeg,
    ComplexOrder,
    ExitStep,
    LegFill,
    PlacedOrderSet,
)
from orders.services.canceling import REST_DUE
from strategies.domain.tickets import Instruction

# Positions may be reported a moment behind the fills: until then these count as still to come.
POSITIONS_BEHIND = timedelta(seconds=2)
ALIVE = frozenset(Status) - TERMINAL
# One that the broker replaced lives on as its successor, also while that is still looked for; so
# does one that is canceled to be replaced, until its rest is written.
NOT_OVER = (
    Q(status__in=any_of(ALIVE)) | Q(status=Status.REPLACED, successor__isnull=True) | REST_DUE
)


@dataclass(frozen=True, slots=True)
class CloserLeg:
    """One leg of an order that closes, wherever it comes from, as it stands now."""

    child_id: UUID
    status: str
    symbol: str
    quantity: int
    filled: Decimal


@dataclass(frozen=True, slots=True)
class Closing:
    """What closes, or has closed, in one account.

    Args:
        legs: of the orders that are not over.
        recent: orders that were written of late, over or not: one may have begun and ended between
            two looks.
    """

    legs: frozenset[CloserLeg] = frozenset()
    recent: frozenset[UUID] = frozenset()


NOTHING_CLOSES = Closing()
Closers = Mapping[UUID, Closing]


# What is asked of a step's relations: a row of each has four times as many columns.
_OWN = {
    "child": ("status", "reason", "successor", "replace_limit", "replace_until"),
    "account": ("hash_value", "is_active", "number_index", "position", "login"),
}
_ORDER = (
    *("order_type", "limit", "duration", "session", "percent", "pricing"),
    "clicked_at",
)
_LOGIN = ("status", "label", "status_reason", "app_key_index", "token__access", "token__version")


def load_steps(due: QuerySet[ExitStep]) -> list[ExitStep]:
    """Return those steps with all that is asked of them, in grid order."""
    due = due.select_related(*_OWN)
    own = [field.name for field in ExitStep._meta.concrete_fields]
    columns = [f"{path}__{name}" for path, names in _OWN.items() for name in names]
    sets = PlacedOrderSet.objects.select_related("order").only("order", "order__underlying")
    logins = BrokerLogin.objects.select_related("token").only(*_LOGIN)
    # What many steps have in common is read once, not again with each of them.
    due = due.only(*own, *columns).prefetch_related(
        Prefetch("order", ComplexOrder.objects.only(*_ORDER)),
        Prefetch("placed_order_set", sets),
        Prefetch("account__login", logins),
    )
    return list(due.order_by("account__position", "pk"))


def closers_in(accounts: Collection[UUID], *, since: datetime) -> Closers:
    """Return what closes in these accounts.

    Compared with itself a moment later it tells whether anything happened meanwhile.

    Args:
        since: from when on orders are recent; the same for both looks.
    """
    closing = AccountOrder.objects.filter(account__in=accounts, purpose=Purpose.CLOSE)
    rows = AccountOrderLeg.objects.filter(child__in=closing.filter(NOT_OVER)).values_list(
        "child__account_id", "child_id", "child__status", "symbol", "quantity", "filled"
    )
    legs: dict[UUID, set[CloserLeg]] = defaultdict(set)
    for account_id, child_id, status, symbol, quantity, filled in rows:
        legs[account_id].add(CloserLeg(child_id, status, symbol, quantity, filled))
    recent: dict[UUID, set[UUID]] = defaultdict(set)
    written = closing.filter(created_at__gte=since)
    for account_id, pk in written.values_list("account_id", "pk"):
        recent[account_id].add(pk)
    return {
        account_id: Closing(frozenset(legs[account_id]), frozenset(recent[account_id]))
        for account_id in {*legs, *recent}
    }


def closing_by(
    closers: Closers, *, fresh: Mapping[tuple[UUID, str], int]
) -> dict[UUID, dict[str, int]]:
    """Return by account and symbol what is on its way to be closed, or was a moment ago.

    Both have zero for what is not in them.
    """
    found: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for account_id, closing in closers.items():
        for leg in closing.legs:
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
        NOT_OVER,
        order__in={step.placed_order_set.order_id for step in steps},
        account__in={step.account_id for step in steps},
    ).defer("body")
    found: dict[tuple[int, UUID], list[AccountOrder]] = defaultdict(list)
    for child in rows:
        found[child.order_id, child.account_id].append(child)
    return found


def other_sets(steps: Sequence[ExitStep]) -> Mapping[tuple[int, UUID], Mapping[str, int]]:
    """Return what all other sets have of the same legs in these accounts, by set and account.

    Signed, and no more than what each of them bought and has not closed itself.
    """
    owned = _owned(steps)
    for flat_id, account_id, residual in _gone_otherwise(steps):
        for symbol, quantity in residual.items():
            owned[account_id][flat_id, symbol] -= quantity
    found: dict[tuple[int, UUID], dict[str, int]] = {}
    for step in steps:
        others: dict[str, int] = defaultdict(int)
        for (set_id, symbol), quantity in owned[step.account_id].items():
            if set_id != step.placed_order_set_id and symbol in step.plan:
                others[symbol] += quantity
        found[step.placed_order_set_id, step.account_id] = others
    return found


def _owned(steps: Sequence[ExitStep]) -> dict[UUID, dict[tuple[int, str], int]]:
    """Return what sets bought of these legs and their exits closed, by account, set and symbol."""
    rows = AccountOrderLeg.objects.filter(
        child__account__in={step.account_id for step in steps},
        symbol__in={symbol for step in steps for symbol in step.plan},
        filled__gt=0,
    ).values_list(
        "child__account_id",
        "symbol",
        "instruction",
        "filled",
        "child__order__closes_id",
        "child__order__placed_order_set",
    )
    owned: dict[UUID, dict[tuple[int, str], int]] = defaultdict(lambda: defaultdict(int))
    for account_id, symbol, instruction, filled, closes, opened in rows:
        if (set_id := closes or opened) is not None:
            sign = 1 if Instruction(instruction).is_buy else -1
            owned[account_id][set_id, symbol] += sign * int(filled)
    return owned


def _gone_otherwise(
    steps: Sequence[ExitStep],
) -> QuerySet[ExitStep, tuple[int, UUID, dict[str, int]]]:
    """Return what earlier exits found gone, by set and account."""
    flat = ExitStep.objects.filter(
        account__in={step.account_id for step in steps}, flat_at__isnull=False
    )
    return flat.values_list("placed_order_set_id", "account_id", "residual")
