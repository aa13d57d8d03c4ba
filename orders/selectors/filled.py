"""What account orders have filled: by leg, summed over all attempts of an account."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import cast
from uuid import UUID

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum

from orders.domain.bookmarks import NOTHING, Filled, Quantities
from orders.domain.lifecycle import Purpose, Status
from orders.models import AccountOrder, AccountOrderLeg, ComplexOrder
from orders.selectors.alike import as_read, key_of, number_of
from strategies.domain.tickets import Instruction

_BUYS = frozenset(one.value for one in Instruction if one.is_buy)

# By broadcast or set, by account, by symbol; nothing that is not filled at all.
FilledLegs = Mapping[int, Mapping[UUID, Mapping[str, Filled]]]
Bookmarks = Mapping[int, Mapping[UUID, Quantities]]
# By broadcast and symbol, USD per share, over all accounts; to the cent.
Averages = Mapping[tuple[int, str], Decimal]
_CENT = Decimal("0.01")


def filled_of_orders(order_ids: Collection[int]) -> FilledLegs:
    """Return what these broadcasts have filled."""
    return _add_up(AccountOrderLeg.objects.filter(child__order__in=order_ids))[0]


def filled_of_exits(set_ids: Collection[int]) -> FilledLegs:
    """Return what the exits of these sets have filled, by set."""
    return _add_up(AccountOrderLeg.objects.filter(child__order__in=_exits(set_ids)))[1]


def filled_of_sets(
    order_ids: Collection[int], set_ids: Collection[int]
) -> tuple[FilledLegs, FilledLegs]:
    """Return both, of sets and of the broadcasts that they bookmark, in one query."""
    orders = ComplexOrder.objects.filter(Q(pk__in=order_ids) | Q(pk__in=_exits(set_ids)))
    of_orders, of_exits = _add_up(AccountOrderLeg.objects.filter(child__order__in=orders))
    wanted = set(order_ids)
    return {pk: legs for pk, legs in of_orders.items() if pk in wanted}, of_exits


def averages_of(order_ids: Collection[int]) -> Averages:
    """Return what the legs of these broadcasts were filled at on average, in one query."""
    filled = AccountOrderLeg.objects.filter(child__order__in=order_ids, filled__gt=0).order_by()
    sums = filled.values("child__order", "symbol").annotate(
        cash=Sum(F("filled") * F("average_price")), quantity=Sum("filled")
    )
    found = cast(
        "list[tuple[int, str, Decimal | None, Decimal]]",
        list(sums.values_list("child__order", "symbol", "cash", "quantity")),
    )
    return {
        (order, symbol): (cash / quantity).quantize(_CENT)
        for order, symbol, cash, quantity in found
        if cash is not None
    }


def averages_in(filled: FilledLegs) -> Averages:
    """Return the same of fills that were read already."""
    found: dict[tuple[int, str], Decimal] = {}
    for order, accounts in filled.items():
        quantities: dict[str, Decimal] = defaultdict(Decimal)
        cash: dict[str, Decimal] = defaultdict(Decimal)
        for legs in accounts.values():
            for symbol, leg in legs.items():
                quantities[symbol] += leg.quantity
                cash[symbol] += leg.cash
        for symbol, paid in cash.items():
            if paid:
                found[order, symbol] = (-paid / quantities[symbol]).quantize(_CENT)
    return found


def _exits(set_ids: Collection[int]) -> QuerySet[ComplexOrder, int]:
    return ComplexOrder.objects.filter(closes__in=set_ids).values_list("pk", flat=True)


def quantities_of(filled: FilledLegs) -> Bookmarks:
    """Return the signed quantities alone."""
    return {
        pk: {
            account: {symbol: leg.quantity for symbol, leg in legs.items()}
            for account, legs in accounts.items()
        }
        for pk, accounts in filled.items()
    }


def sent_accounts(order: OuterRef) -> Subquery:
    """Return, for an annotation, to how many accounts a broadcast was sent."""
    sent = AccountOrder.objects.filter(order=order).exclude(status=Status.SKIPPED)
    counted = sent.order_by().values("order").annotate(n=Count("account", distinct=True))
    return Subquery(counted.values("n"), output_field=IntegerField())


_Found = dict[int, dict[UUID, dict[str, Filled]]]


def _add_up(legs: QuerySet[AccountOrderLeg]) -> tuple[FilledLegs, FilledLegs]:
    """Return what is filled, by broadcast, and once more that of exits, by the set they close."""
    of_orders: _Found = defaultdict(lambda: defaultdict(dict))
    of_exits: _Found = defaultdict(lambda: defaultdict(dict))
    rows = (
        legs.filter(filled__gt=0)
        .order_by()
        .annotate(
            key=as_read("child__account"), units=as_read("filled"), at=as_read("average_price")
        )
    )
    for order, closes, purpose, key, symbol, instruction, units, at in rows.values_list(
        *("child__order_id", "child__order__closes_id", "child__purpose", "key"),
        *("symbol", "instruction", "units", "at"),
    ):
        leg, account = _leg(instruction in _BUYS, units, at), key_of(key)
        _add(of_orders[order][account], symbol, leg)
        if closes is not None and purpose == Purpose.CLOSE:
            _add(of_exits[closes][account], symbol, leg)
    return of_orders, of_exits


def _add(found: dict[str, Filled], symbol: str, leg: Filled) -> None:
    before = found.get(symbol)
    found[symbol] = leg if before is None else _sum(before, leg)


@lru_cache(maxsize=16_384)
def _leg(is_bought: bool, units: float | Decimal, at: float | Decimal | None) -> Filled:
    """Return what one attempt has filled of a leg."""
    signed = number_of(units) if is_bought else -number_of(units)
    return Filled(signed, NOTHING if at is None else -signed * number_of(at))


def _sum(one: Filled, other: Filled) -> Filled:
    return Filled(one.quantity + other.quantity, one.cash + other.cash)


def bookmarks_of(order_ids: Collection[int]) -> Bookmarks:
    """Return what all attempts of these broadcasts have filled, bought positive, sold negative."""
    return quantities_of(filled_of_orders(order_ids))


def closed_of(set_ids: Collection[int]) -> Bookmarks:
    """Return what the exits of these sets have filled, signed in the same way."""
    return quantities_of(filled_of_exits(set_ids))
