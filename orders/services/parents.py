"""Keep the status of complex orders what their account orders make of it."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Least

from orders.domain.exits import ExitState
from orders.domain.lifecycle import ChildState, Status, parent_status
from orders.models import AccountOrder, ComplexOrder, ExitStep


def refresh_parents(order_ids: Collection[int]) -> None:
    """Recompute the status of complex orders from the latest attempt in every account."""
    if not order_ids:
        return
    with transaction.atomic():
        # The lock keeps two recorders from writing each other's older sum.
        locked = ComplexOrder.objects.select_for_update().filter(pk__in=order_ids).order_by("pk")
        exits = [pk for pk, closes in locked.values_list("pk", "closes_id") if closes is not None]
        latest = _latest_states(order_ids)
        if exits:
            _add_steps(exits, latest)
        for order_id, by_account in latest.items():
            states = by_account.values()
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


_States = dict[int, dict[UUID, ChildState]]


def _latest_states(order_ids: Collection[int]) -> _States:
    """Return the status of the latest attempt, with what any attempt has filled.

    One that was left out before it was sent takes nothing from what stood there before it.
    """
    latest: _States = defaultdict(dict)
    rows = (
        AccountOrder.objects.filter(order_id__in=order_ids)
        .order_by("attempt")
        .values_list(
            "order_id",
            "account_id",
            "status",
            "filled",
            "needs_agent",
            "replace_limit",
            "successor_id",
        )
    )
    for order_id, account_id, word, filled, needs_agent, limit, successor_id in rows:
        before, status = latest[order_id].get(account_id), Status(word)
        if status == Status.SKIPPED and before is not None:
            continue
        if status == Status.CANCELED and limit is not None and successor_id is None:
            status = Status.WORKING  # what is left of it goes out in a moment
        has_fills = filled > 0 or (before is not None and before.has_fills)
        latest[order_id][account_id] = ChildState(status, has_fills, needs_agent)
    return latest


def _add_steps(order_ids: Collection[int], latest: _States) -> None:
    """Let what an exit still has to send, or leaves to the agent, count in its accounts."""
    steps = ExitStep.objects.filter(order__in=order_ids).values_list(
        "order_id", "account_id", "state", "closed_at"
    )
    for order_id, account_id, state, closed_at in steps:
        states = latest[order_id]  # an exit that has sent nothing yet is a parent, too
        has_fills = account_id in states and states[account_id].has_fills
        if state == ExitState.WAITING:
            states[account_id] = ChildState(Status.READY, has_fills)
        elif state == ExitState.RESIDUAL and closed_at is None:
            status = states[account_id].status if account_id in states else Status.READY
            states[account_id] = ChildState(status, has_fills, needs_agent=True)
