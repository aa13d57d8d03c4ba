"""What open sets say that each account holds, so that what nobody broadcast stands out."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, DecimalField, F, Q, QuerySet, Sum, When

from orders.domain.bookmarks import NOTHING, left_of
from orders.domain.lifecycle import Purpose
from orders.models import AccountOrderLeg, ComplexOrder, ExitStep, PlacedOrderSet
from orders.selectors.exit_steps import gone_otherwise, steps_of
from strategies.domain.tickets import Instruction

_FRACTION = Decimal("0.0001")
_BUYS = [one.value for one in Instruction if one.is_buy]


class Part(NamedTuple):
    """What a set says an account still holds of a symbol, negative where it is short."""

    set_id: int
    quantity: Decimal


# By account and symbol, the oldest set first.
Explained = Mapping[UUID, Mapping[str, list[Part]]]


def explained(
    *,
    accounts: Collection[UUID] | None = None,
    symbols: Collection[str] | None = None,
    alive_on: date | None = None,
) -> Explained:
    """Return what the sets that are not flat explain.

    Args:
        accounts, symbols: only these; None for all.
        alive_on: leave out what had expired by this day.
    """
    wanted = Q() if symbols is None else Q(symbol__in=symbols)
    if accounts is not None:
        wanted &= Q(child__account__in=accounts)
    bookmarked = list(_sums(_opened(alive_on).filter(wanted), "child__order__placed_order_set"))
    if not bookmarked:
        return {}
    closed, gone = dict(_sums(_closed().filter(wanted), "child__order__closes_id")), _gone()
    found: dict[UUID, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for key, quantity in sorted(bookmarked, key=lambda one: one[0][0]):
        set_id, account, symbol = key
        left = left_of(
            {symbol: quantity},
            {symbol: closed.get(key, NOTHING)},
            {symbol: gone.get(key, NOTHING)},
        )[symbol]
        if left:
            found[account][symbol].append(Part(set_id, left))
    return found


def _opened(alive_on: date | None) -> QuerySet[AccountOrderLeg]:
    """Return the legs that opened sets that are not flat, of what had not expired by that day."""
    # Begun from the few sets that are open, not from the many legs of all times.
    held = PlacedOrderSet.objects.filter(flat_at__isnull=True).order_by().values("order")
    filled = AccountOrderLeg.objects.filter(child__order__in=held, filled__gt=0)
    if alive_on is None:
        return filled
    return filled.filter(
        Q(child__order__expiration__isnull=True) | Q(child__order__expiration__gte=alive_on)
    )


def _closed() -> QuerySet[AccountOrderLeg]:
    """Return the legs that closed some of what such sets hold."""
    held = PlacedOrderSet.objects.filter(flat_at__isnull=True).order_by().values("pk")
    exits = ComplexOrder.objects.filter(closes__in=held).order_by().values("pk")
    return AccountOrderLeg.objects.filter(
        filled__gt=0, child__purpose=Purpose.CLOSE, child__order__in=exits
    )


_Key = tuple[int, UUID, str]


def _sums(legs: QuerySet[AccountOrderLeg], key: str) -> Iterator[tuple[_Key, Decimal]]:
    """Yield what was filled, signed as it was traded, summed in the database."""
    signed = Case(When(instruction__in=_BUYS, then=F("filled")), default=-F("filled"))
    rows = legs.order_by().values_list(key, "child__account_id", "symbol")
    total = Sum(signed, output_field=DecimalField(max_digits=18, decimal_places=4))
    for owner, account, symbol, quantity in rows.annotate(total=total):
        # SQLite adds up binary fractions.
        yield (owner, account, symbol), quantity.quantize(_FRACTION)


def _gone() -> dict[_Key, Decimal]:
    """Return what exits found gone that they had not closed."""
    steps = ExitStep.objects.filter(
        flat_at__isnull=False, placed_order_set__flat_at__isnull=True
    ).values_list("placed_order_set_id", flat=True)
    set_ids = set(steps)
    if not set_ids:
        return {}
    return {
        (set_id, account, symbol): quantity
        for (set_id, account), of_set in steps_of(set_ids).items()
        for symbol, quantity in gone_otherwise(of_set).items()
    }
