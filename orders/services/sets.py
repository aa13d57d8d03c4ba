"""Keep a placed order set for every broadcast of which something is filled."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.services.audit import event, record
from orders.domain.lifecycle import Purpose
from orders.models import AccountOrderLeg, ComplexOrder, PlacedOrderSet

REOPENED = "An order that was sent after it was flat has filled."


def keep_sets(order_ids: Collection[int], *, now: datetime) -> None:
    """Make sets of those of these broadcasts that have fills and no set yet; exits get none.

    A set that was flat is open again once an order is filled that was sent afterwards. A caller
    that locks broadcasts, too, has to do that first.
    """
    filled = AccountOrderLeg.objects.filter(child__order=OuterRef("pk"), filled__gt=0)
    later = filled.filter(child__claimed_at__gt=OuterRef("placed_order_set__flat_at"))
    told = ComplexOrder.objects.filter(
        Q(Exists(filled), placed_order_set__isnull=True) | Q(Exists(later)),
        pk__in=order_ids,
        purpose=Purpose.OPEN,
    ).values_list("pk", "placed_order_set__pk")
    new = {order_id for order_id, set_id in told if set_id is None}
    flat = [set_id for _, set_id in told if set_id is not None]
    if new:
        _make(new, now)
    if flat:
        _reopen(flat, now)


def _make(filled: set[int], now: datetime) -> None:
    with transaction.atomic():
        # Two that see the first fills of a broadcast come one after the other.
        orders = ComplexOrder.objects.filter(pk__in=filled).order_by("pk").select_for_update()
        list(orders.values_list("pk"))
        kept = PlacedOrderSet.objects.filter(order__in=filled)
        new = sorted(filled - set(kept.values_list("order_id", flat=True)))
        sets = PlacedOrderSet.objects.bulk_create(PlacedOrderSet(order_id=pk) for pk in new)
        record(event(one, "set", at=now, new="OPEN", data={"order": one.order_id}) for one in sets)


def _reopen(set_ids: Collection[int], now: datetime) -> None:
    with transaction.atomic():
        flat = PlacedOrderSet.objects.filter(pk__in=set_ids, flat_at__isnull=False)
        sets = list(flat.order_by("pk").select_for_update())
        flat.filter(pk__in=[one.pk for one in sets]).update(flat_at=None)
        record(event(one, "set", at=now, old="FLAT", new="OPEN", reason=REOPENED) for one in sets)
