"""Sweep by status: expire what waited too long, find what nobody was rung for, raise alarms."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, Q, QuerySet

from accounts.models import Alarm
from accounts.services.alarms import raise_alarm
from orders.domain.lifecycle import Reason, Status
from orders.models import AccountOrder
from orders.selectors.due import due_steps
from orders.services.cancel_sending import due_cancels
from orders.services.canceling import withdraw_unsent
from orders.services.claiming import unresolved_twins
from orders.services.climbing import due_ladders
from orders.services.parents import refresh_parents
from orders.services.replacing import due_rests
from orders.services.steps import Step, take_steps

UNKNOWN_TOO_LONG = "UNKNOWN_TOO_LONG"
TWIN_WORDS = "an identical order in this account is still unresolved"


@dataclass(slots=True)
class Swept:
    """What one sweep did, and what must be rung for.

    Args:
        to_ring: READY orders by parent that somebody must send.
        tasks: names of tasks that have something to do now.
    """

    stale: int = 0
    lease_over: int = 0
    to_ring: dict[int, list[UUID]] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=list)


def sweep(*, now: datetime) -> Swept:
    """Expire stale READY orders and old claims; needs the database alone."""
    swept = Swept(stale=_expire_unsent(now), lease_over=_expire_claims(now))
    _alarm_for_unknown(now)
    waiting: dict[int, list[UUID]] = defaultdict(list)
    for order_id, pk in _unheard(now).values_list("order_id", "pk"):
        waiting[order_id].append(pk)
    swept.to_ring = dict(waiting)
    swept.tasks = list(_due_tasks(now))
    return swept


def _due_tasks(now: datetime) -> Iterator[str]:
    if (due_cancels(now) | due_rests()).exists():
        yield "orders.send_cancels"
    if due_steps(now=now).exists():
        yield "orders.advance_exits"
    if due_ladders(now).exists():
        yield "orders.climb"


def _expire_unsent(now: datetime) -> int:
    stale = AccountOrder.objects.filter(status=Status.READY, deadline_at__lte=now).annotate(
        has_twin=Exists(unresolved_twins())
    )
    rows = list(stale.values_list("pk", "reason", "has_twin", "cancel_asked_at"))
    if any(asked_at for *_, asked_at in rows):
        withdraw_unsent(now=now)
    steps = [
        _fail(pk, f"Not sent in time: {_why(reason, has_twin)}. Nothing is at the broker.")
        for pk, reason, has_twin, asked_at in rows
        if asked_at is None
    ]
    return _take(steps, Status.READY, now)


def _why(reason: str, has_twin: bool) -> str:
    if has_twin:
        return TWIN_WORDS
    return reason.rstrip(".") or "the workers did not take it before its deadline"


def _fail(pk: UUID, words: str) -> Step:
    values = {"reason_code": Reason.STALE_UNSENT, "reason": words[:300]}
    return Step(pk, Status.FAILED_TO_PLACE, values)


def _expire_claims(now: datetime) -> int:
    lease_began = now - timedelta(seconds=settings.CLAIM_LEASE_S)
    lost = AccountOrder.objects.filter(status=Status.SUBMITTING, claimed_at__lte=lease_began)
    words = "No answer was recorded in time: the order may or may not be at the broker."
    values = {"reason_code": Reason.LEASE_OVER, "reason": words}
    steps = [Step(pk, Status.UNKNOWN, values) for pk in lost.values_list("pk", flat=True)]
    return _take(steps, Status.SUBMITTING, now)


def _take(steps: list[Step], old: Status, now: datetime) -> int:
    if not steps:
        return 0
    with transaction.atomic():
        moved = take_steps(steps, out_of=[old], now=now, actor="sweeper")
        orders = AccountOrder.objects.filter(pk__in=moved).values_list("order_id", flat=True)
        refresh_parents(set(orders))
    return len(moved)


def _alarm_for_unknown(now: datetime) -> None:
    """Raise one alarm per broadcast whose orders are unknown for too long; once for each claim."""
    limit = now - timedelta(seconds=settings.UNKNOWN_ALARM_S)
    late = AccountOrder.objects.filter(status=Status.UNKNOWN, claimed_at__lte=limit)
    by_order: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    for order_id, alias, claimed_at in late.values_list("order_id", "account__alias", "claimed_at"):
        if claimed_at is not None:
            by_order[order_id].append((alias, claimed_at))
    raised = _last_raised(by_order) if by_order else {}
    for order_id, accounts in by_order.items():
        subject = f"complexorder:{order_id}"
        newest = max(claimed_at for _, claimed_at in accounts)
        if subject not in raised or raised[subject] < newest:
            names = ", ".join(sorted(alias for alias, _ in accounts))
            words = f"Broadcast {order_id}: unknown for too long whether placed in {names}."
            raise_alarm(UNKNOWN_TOO_LONG, subject, words, now=now)


def _last_raised(order_ids: Iterable[int]) -> dict[str, datetime]:
    """Return when the newest such alarm of each broadcast was raised, by subject."""
    subjects = [f"complexorder:{order_id}" for order_id in order_ids]
    known = Alarm.objects.filter(code=UNKNOWN_TOO_LONG, subject__in=subjects).order_by()
    return dict(known.values_list("subject").annotate(Max("raised_at")))


def _unheard(now: datetime) -> QuerySet[AccountOrder]:
    """Return READY orders that are due and were created some seconds ago: their ring was lost."""
    rung_before = now - timedelta(seconds=settings.RING_AGAIN_AFTER_S)
    return AccountOrder.objects.filter(
        Q(not_before__isnull=True, created_at__lte=rung_before) | Q(not_before__lte=now),
        ~Exists(unresolved_twins()),
        status=Status.READY,
        deadline_at__gt=now,
    )
