"""The one door through which an account order changes its status."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Field, QuerySet, Value, When

from accounts.models import AuditEvent
from accounts.services.audit import record
from orders.domain.lifecycle import Status, check_step
from orders.models import AccountOrder


@dataclass(frozen=True, slots=True)
class Step:
    """One account order's step, and what else is written with it (field name → value)."""

    child_id: UUID
    to: Status
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


def take_steps(
    steps: Sequence[Step],
    *,
    out_of: Collection[Status],
    now: datetime,
    actor: str,
    is_quiet: bool = False,
) -> set[UUID]:
    """Move account orders that still stand in one of `out_of`, with their audit events.

    An order that meanwhile stands elsewhere is left as it is: of two callers one wins.

    Args:
        steps: at most one per order.
        is_quiet: pages are not told, for something is sent to the broker next.
        out_of: the statuses the caller believes in; every step from them must be legal.

    Returns:
        The ids of the orders that moved.

    Errors: IllegalStep, ValueError for two steps of one order; before anything is written.
    """
    if len({step.child_id for step in steps}) < len(steps):
        raise ValueError("An account order can take only one step at a time.")
    for step in steps:
        for old in out_of:
            check_step(old, step.to)
    with transaction.atomic():
        standing = _standing(steps, out_of)
        moving = [step for step in steps if step.child_id in standing]
        for old, to in {(standing[step.child_id], step.to) for step in moving}:
            group = [s for s in moving if s.to == to and standing[s.child_id] == old]
            _move(group, old=old, to=to)
        events = [_event(step, standing[step.child_id], now, actor) for step in moving]
        record(events, is_quiet=is_quiet)
    return set(standing)


def _standing(steps: Sequence[Step], out_of: Collection[Status]) -> dict[UUID, Status]:
    """Return which orders still stand where the caller believes, locked until the commit."""
    rows: QuerySet[AccountOrder] = AccountOrder.objects.select_for_update().filter(
        pk__in=[step.child_id for step in steps], status__in=out_of
    )
    # In one order, so that two callers who move the same orders wait and do not deadlock.
    return {pk: Status(status) for pk, status in rows.order_by("pk").values_list("pk", "status")}


def _move(group: Sequence[Step], *, old: Status, to: Status) -> None:
    names = sorted({name for step in group for name in step.values})
    columns = {name: _column(name, group) for name in names}
    AccountOrder.objects.filter(pk__in=[s.child_id for s in group], status=old).update(
        status=to, **columns
    )


def _column(name: str, group: Sequence[Step]) -> Any:
    """Return one value for all rows, or a CASE with one value per row that names it."""
    given = [(step.child_id, step.values[name]) for step in group if name in step.values]
    _, first = given[0]
    if len(given) == len(group) and all(value == first for _, value in given):
        return first
    output = cast("Field[Any, Any]", AccountOrder._meta.get_field(name))
    whens = [When(pk=child_id, then=Value(value, output_field=output)) for child_id, value in given]
    return Case(*whens, default=name, output_field=output)


def _event(step: Step, old: Status, now: datetime, actor: str) -> AuditEvent:
    return AuditEvent(
        at=now,
        subject=f"accountorder:{step.child_id}",
        kind="status",
        old=old,
        new=step.to,
        reason=str(step.values.get("reason", ""))[:300],
        actor=actor,
        data=dict(step.data),
    )
