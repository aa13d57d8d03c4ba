"""Write what exits come to: closing orders, states of steps, and when a set is flat."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from accounts.models import Account, AuditEvent
from accounts.services.audit import event, record, signed
from accounts.services.inserting import insert_copies, update_each
from orders.domain.bodies import Body
from orders.domain.exiting import ClosingOrder
from orders.domain.exits import AT_WORK, ExitState
from orders.domain.lifecycle import Purpose, Status, any_of
from orders.models import AccountOrder, AccountOrderLeg, ExitStep, PlacedOrderSet, new_id
from orders.services.exits.judging import read_set
from orders.services.exits.planning import Outcome, accounts_of
from orders.services.exits.situation import Closers, closers_in
from orders.services.parents import refresh_parents

ACTOR = "exit"
COLUMNS = (
    *(
        "child_id",
        "state",
        "why",
        "plan",
        "held",
        "residual",
        "read_at",
        "due_at",
        "flat_at",
        "closed_at",
    ),
)

Decided = Sequence[tuple[ExitStep, Outcome]]


def write_outcomes(
    decided: Decided,
    *,
    held: Mapping[UUID, Any],
    before: Closers,
    since: datetime,
    now: datetime,
) -> Mapping[int, Sequence[UUID]]:
    """Write what was planned, unless something closed meanwhile; return the orders to send by exit.

    A step whose account saw any closing order begin, fill or end since positions were read is left
    as it is: its plan may rest on what is gone. It is looked at again.

    Args:
        held: the positions the plans rest on, by account.
        before: the closing orders as they stood before positions were read, recent ones `since`.
    """
    with transaction.atomic():
        # One exit after the other in each account: what one closes, the next one must see.
        accounts = accounts_of([step for step, _ in decided])
        rows = Account.objects.filter(pk__in=accounts).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))
        standing = _standing([step for step, _ in decided])
        now_closing = closers_in(accounts, since=since)
        fresh = [
            (step, outcome)
            for step, outcome in decided
            if standing.get(step.pk) == (step.state, step.child_id)
            and now_closing.get(step.account_id) == before.get(step.account_id)
        ]
        made = _create_children([one for one in fresh if one[1].order is not None], now)
        flat = _flat_ones(fresh)
        _write_steps(fresh, held, made, now)
        _note_flat(flat, now)
        refresh_parents({step.order_id for step, _ in fresh if step.order_id is not None})
    ready: dict[int, list[UUID]] = defaultdict(list)
    for step, _ in fresh:
        if step.pk in made and step.order_id is not None:
            ready[step.order_id].append(made[step.pk])
    return ready


def postpone(steps: Collection[ExitStep], words: Mapping[int, str], *, until: datetime) -> None:
    """Say of steps what they wait for, and when to look again."""
    alike: dict[str, list[int]] = defaultdict(list)  # most wait for the same
    for step in steps:
        alike[words[step.pk][:300]].append(step.pk)
    for why, ids in alike.items():
        _at_work(ids).update(why=why, due_at=until)


def give_up(steps: Collection[ExitStep], words: Mapping[int, str], *, now: datetime) -> None:
    """Leave steps to the agent, each with the reason."""
    if not steps:
        return
    with transaction.atomic():
        locked = _at_work([step.pk for step in steps]).select_for_update().order_by("pk")
        standing = set(locked.values_list("pk", flat=True))
        left = [step for step in steps if step.pk in standing]
        events = [_event(step, ExitState.RESIDUAL, words[step.pk], now) for step in left]
        for step in left:
            step.state, step.why = ExitState.RESIDUAL, words[step.pk][:300]
            step.residual, step.due_at = step.plan, None
        update_each(left, ("state", "why", "residual", "due_at"))
        record(events)
        refresh_parents({step.order_id for step in steps if step.order_id is not None})


def _at_work(ids: Collection[int]) -> QuerySet[ExitStep]:
    return ExitStep.objects.filter(pk__in=ids, closed_at__isnull=True, state__in=any_of(AT_WORK))


def follow_child(step: ExitStep, successor_id: UUID) -> None:
    """Let a step go on with the order that succeeded its own."""
    ExitStep.objects.filter(pk=step.pk, child=step.child_id).update(
        child=successor_id, state=ExitState.CLOSING
    )


def _standing(steps: Sequence[ExitStep]) -> dict[int, tuple[str, UUID | None]]:
    rows = ExitStep.objects.filter(pk__in=[step.pk for step in steps], closed_at__isnull=True)
    locked = rows.select_for_update().order_by("pk").values_list("pk", "state", "child_id")
    return {pk: (state, child_id) for pk, state, child_id in locked}


def _create_children(decided: Decided, now: datetime) -> dict[int, UUID]:
    """Write the closing orders, READY; return them by step."""
    if not decided:
        return {}
    attempts = _attempts([step for step, _ in decided])
    rows, legs, made = [], list[dict[str, Any]](), {}
    for step, outcome in decided:
        order, body = outcome.order, outcome.body
        if order is None or body is None:
            continue
        made[step.pk] = pk = new_id()
        attempt = attempts.get((step.order_id, step.account_id), 0) + 1
        rows.append(_child_row(pk, step, order, body, attempt))
        legs += _leg_rows(pk, order)
    deadline = now + timedelta(seconds=settings.READY_DEADLINE_CLOSE_S)
    insert_copies(AccountOrder(purpose=Purpose.CLOSE, deadline_at=deadline), rows)
    insert_copies(AccountOrderLeg(), legs)
    created = signed(AuditEvent(at=now, kind="status", new=Status.READY, actor=ACTOR))
    events = [
        {"subject": f"accountorder:{row['id']}", "data": {"body": row["body_hash"]}} for row in rows
    ]
    insert_copies(created, events)
    return made


def _child_row(
    pk: UUID, step: ExitStep, order: ClosingOrder, body: Body, attempt: int
) -> dict[str, Any]:
    return {
        "id": pk,
        "order_id": step.order_id,
        "account_id": step.account_id,
        "attempt": attempt,
        "contracts": order.units,
        "remaining": order.units,
        "fingerprint": body.fingerprint,
        "body": body.text,
        "body_hash": body.digest,
    }


def _leg_rows(pk: UUID, order: ClosingOrder) -> list[dict[str, Any]]:
    return [
        {
            "child_id": pk,
            "number": number,
            "symbol": leg.symbol,
            "instruction": leg.instruction,
            "quantity": order.units * leg.ratio,
        }
        for number, leg in enumerate(order.legs, 1)
    ]


def _attempts(steps: Sequence[ExitStep]) -> dict[tuple[int | None, UUID], int]:
    rows = AccountOrder.objects.filter(order__in={step.order_id for step in steps})
    latest = rows.order_by().values_list("order_id", "account_id").annotate(Max("attempt"))
    return {(order_id, account_id): attempt for order_id, account_id, attempt in latest}


def _write_steps(
    decided: Decided, held: Mapping[UUID, Any], made: Mapping[int, UUID], now: datetime
) -> None:
    events = []
    for step, outcome in decided:
        if step.state != outcome.state:
            events.append(_event(step, outcome.state, outcome.why, now))
        step.state, step.why, step.due_at = outcome.state, outcome.why[:300], outcome.due_at
        step.child_id = made.get(step.pk, step.child_id)
        positions = held[step.account_id]
        step.held = {symbol: positions.get(symbol, 0) for symbol in step.plan}
        step.read_at = now
        if not outcome.is_flat:
            step.residual = dict(outcome.residual)
        step.flat_at = now if outcome.is_flat else None
        step.closed_at = now if outcome.state == ExitState.DONE else None
    update_each([step for step, _ in decided], COLUMNS)
    record(events, is_quiet=bool(made))


def _flat_ones(decided: Decided) -> dict[int, set[UUID]]:
    """Note on steps that are flat what of the set went otherwise than by our orders.

    Returns:
        By set of which an account is flat now, the accounts that are not.
    """
    flat: dict[int, list[ExitStep]] = defaultdict(list)
    for step, outcome in decided:
        if outcome.is_flat:
            flat[step.placed_order_set_id].append(step)
    others = {}
    for set_id, steps in flat.items():
        left = dict(read_set(steps[0].placed_order_set).left)
        for step in steps:
            rest = left.pop(step.account_id, {})
            step.residual = {symbol: quantity for symbol, quantity in rest.items() if quantity}
        others[set_id] = set(left)
    return others


def _note_flat(flat: Mapping[int, Collection[UUID]], now: datetime) -> None:
    """Keep when the last account of a set was shown to be flat."""
    for set_id, others in flat.items():
        is_open = ExitStep.objects.filter(placed_order_set=set_id, closed_at__isnull=True)
        if others or is_open.exists():
            continue
        if PlacedOrderSet.objects.filter(pk=set_id, flat_at__isnull=True).update(flat_at=now):
            subject = f"placedorderset:{set_id}"
            record([event(subject, "flat", at=now, new="flat", actor=ACTOR)])


def _event(step: ExitStep, new: ExitState, why: str, now: datetime) -> AuditEvent:
    return event(
        step,
        "exit",
        at=now,
        old=step.state,
        new=new,
        reason=why[:300],
        actor=ACTOR,
        data={"set": step.placed_order_set_id, "account": str(step.account_id)},
    )
