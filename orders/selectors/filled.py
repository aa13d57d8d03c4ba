"""What account orders have filled: by leg, summed over all attempts of an account."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery

from orders.domain.bookmarks import NOTHING, Filled, Quantities
from orders.domain.lifecycle import Purpose, Status
from orders.models import AccountOrder, AccountOrderLeg
from strategies.domain.tickets import Instruction

# By broadcast or set, by account, by symbol; nothing that is not filled at all.
FilledLegs = Mapping[int, Mapping[UUID, Mapping[str, Filled]]]
Bookmarks = Mapping[int, Mapping[UUID, Quantities]]


def filled_of_orders(order_ids: Collection[int]) -> FilledLegs:
    """Return what these broadcasts have filled."""
    legs = AccountOrderLeg.objects.filter(child__order__in=order_ids)
    return _add_up(legs, "child__order_id")


def filled_of_exits(set_ids: Collection[int]) -> FilledLegs:
    """Return what the exits of these sets have filled, by set."""
    legs = AccountOrderLeg.objects.filter(
        child__order__closes__in=set_ids, child__purpose=Purpose.CLOSE
    )
    return _add_up(legs, "child__order__closes_id")


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


def _add_up(legs: QuerySet[AccountOrderLeg], key: str) -> FilledLegs:
    found: dict[int, dict[UUID, dict[str, Filled]]] = defaultdict(lambda: defaultdict(dict))
    rows = legs.filter(filled__gt=0).order_by()
    for pk, account, symbol, instruction, filled, price in rows.values_list(
        key, "child__account_id", "symbol", "instruction", "filled", "average_price"
    ):
        signed = filled if Instruction(instruction).is_buy else -filled
        before = found[pk][account].get(symbol, Filled(NOTHING, NOTHING))
        cash = -signed * (price or NOTHING)
        found[pk][account][symbol] = Filled(before.quantity + signed, before.cash + cash)
    return found
