"""What account orders have filled: by leg, summed over all attempts of an account."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import CharField, Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from orders.domain.bookmarks import NOTHING, Filled, Quantities
from orders.domain.lifecycle import Purpose, Status
from orders.models import AccountOrder, AccountOrderLeg, ComplexOrder
from strategies.domain.tickets import Instruction

_BUYS = frozenset(one.value for one in Instruction if one.is_buy)

# By broadcast or set, by account, by symbol; nothing that is not filled at all.
FilledLegs = Mapping[int, Mapping[UUID, Mapping[str, Filled]]]
Bookmarks = Mapping[int, Mapping[UUID, Quantities]]


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
    known: dict[str, UUID] = {}
    # To make a UUID takes as long as to read the rest of the row: one is made for each account.
    rows = legs.filter(filled__gt=0).order_by().annotate(text=Cast("child__account", CharField()))
    for order, closes, purpose, text, symbol, instruction, filled, price in rows.values_list(
        *("child__order_id", "child__order__closes_id", "child__purpose", "text"),
        *("symbol", "instruction", "filled", "average_price"),
    ):
        account = known.get(text) or known.setdefault(text, UUID(text))
        signed = filled if instruction in _BUYS else -filled
        leg = Filled(signed, -signed * (price or NOTHING))
        _add(of_orders[order][account], symbol, leg)
        if closes is not None and purpose == Purpose.CLOSE:
            _add(of_exits[closes][account], symbol, leg)
    return of_orders, of_exits


def _add(legs: dict[str, Filled], symbol: str, leg: Filled) -> None:
    """Add what one attempt has filled to what others have."""
    before = legs.get(symbol)
    if before is not None:
        leg = Filled(before.quantity + leg.quantity, before.cash + leg.cash)
    legs[symbol] = leg


def bookmarks_of(order_ids: Collection[int]) -> Bookmarks:
    """Return what all attempts of these broadcasts have filled, bought positive, sold negative."""
    return quantities_of(filled_of_orders(order_ids))


def closed_of(set_ids: Collection[int]) -> Bookmarks:
    """Return what the exits of these sets have filled, signed in the same way."""
    return quantities_of(filled_of_exits(set_ids))
