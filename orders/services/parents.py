"""Keep the status of complex orders what their account orders make of it."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Least

from orders.domain.lifecycle import ChildState, Status, parent_status
from orders.models import AccountOrder, ComplexOrder


def refresh_parents(order_ids: Collection[int]) -> None:
    """Recompute the status of complex orders from the latest attempt in every account."""
    if not order_ids:
        return
    with transaction.atomic():
        # The lock keeps two recorders from writing each other's older sum.
        list(
            ComplexOrder.objects.select_for_update()
            .filter(pk__in=order_ids)
            .order_by("pk")
            .values_list("pk")
        )
        for order_id, states in _latest_states(order_ids).items():
            status = parent_status(states)
            ComplexOrder.objects.filter(pk=order_id).exclude(status=status).update(status=status)


def note_sending(order_id: int, *, first: datetime, last: datetime) -> None:
    """Widen the broadcast's first and last send time; the click counts from `clicked_at`."""
    order = ComplexOrder.objects.filter(pk=order_id)
    order.update(
        first_sent_at=Least(Coalesce(F("first_sent_at"), first), first),
        last_sent_at=Greatest(Coalesce(F("last_sent_at"), last), last),
    )
    clicked_at, last_sent_at = order.values_list("clicked_at", "last_sent_at").get()
    took = ((last_sent_at or last) - clicked_at).total_seconds() * 1000
    order.filter(last_sent_at=last_sent_at).update(broadcast_ms=took)


def _latest_states(order_ids: Collection[int]) -> dict[int, list[ChildState]]:
    latest: dict[int, dict[object, ChildState]] = defaultdict(dict)
    rows = (
        AccountOrder.objects.filter(order_id__in=order_ids)
        .order_by("attempt")
        .values_list("order_id", "account_id", "status", "filled", "needs_agent")
    )
    for order_id, account_id, status, filled, needs_agent in rows:
        latest[order_id][account_id] = ChildState(Status(status), filled > 0, needs_agent)
    return {order_id: list(states.values()) for order_id, states in latest.items()}
