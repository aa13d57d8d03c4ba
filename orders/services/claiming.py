"""Claim account orders for sending: one UPDATE decides, on the disk before a byte is sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.domain.modes import strictest
from accounts.domain.words import Mode
from accounts.models import AuditEvent
from accounts.selectors import groups_of, mode_rules
from accounts.services.inserting import insert_copies
from orders.domain.allocation import blocks
from orders.domain.lifecycle import UNRESOLVED, Purpose, Reason, Status, any_of
from orders.models import AccountOrder
from orders.services.parents import refresh_parents
from orders.services.steps import Step, take_steps


@dataclass(frozen=True, slots=True)
class Claimed:
    """An account order that this process alone may send now."""

    child_id: UUID
    order_id: int
    account_id: UUID
    login_id: UUID
    account_hash: str
    body: str = field(repr=False)
    sends: int
    deadline_at: datetime


def claim(ids: Collection[UUID], *, now: datetime) -> list[Claimed]:
    """Move READY account orders to SUBMITTING and return those that this call won.

    Passed over: orders past their deadline or not yet due, and those with an unresolved twin in
    their account. Orders of an account that is frozen or switched off become SKIPPED.
    """
    try:
        return _claim(ids, now)
    except IntegrityError:
        # Somebody claimed a twin at this very moment. Now it can be seen, and is passed over.
        return _claim(ids, now)


def _claim(ids: Collection[UUID], now: datetime) -> list[Claimed]:
    with transaction.atomic(durable=True):
        _skip_blocked(ids, now)
        token = uuid4()
        won = _sendable(ids, now).update(
            status=Status.SUBMITTING, claim=token, claimed_at=now, sends=F("sends") + 1
        )
        if not won:
            return []
        claimed = _read_claimed(token)
        template = AuditEvent(
            at=now,
            kind="status",
            old=Status.READY,
            new=Status.SUBMITTING,
            actor="placement",
        )
        insert_copies(template, [_event(one) for one in claimed])
    return claimed


def unresolved_twins() -> QuerySet[AccountOrder]:
    """Return the unresolved orders that are the same order in the same account, as a subquery."""
    return AccountOrder.objects.filter(
        account=OuterRef("account"),
        fingerprint=OuterRef("fingerprint"),
        status__in=any_of(UNRESOLVED),
    )


def _sendable(ids: Collection[UUID], now: datetime) -> QuerySet[AccountOrder]:
    return AccountOrder.objects.filter(
        ~Exists(unresolved_twins()),
        Q(not_before__isnull=True) | Q(not_before__lte=now),
        pk__in=ids,
        status=Status.READY,
        deadline_at__gt=now,
    )


def _read_claimed(token: UUID) -> list[Claimed]:
    rows = AccountOrder.objects.filter(claim=token).values_list(
        "pk",
        "order_id",
        "account_id",
        "account__login_id",
        "account__hash_value",
        "body",
        "sends",
        "deadline_at",
    )
    return [Claimed(*row) for row in rows]


def _event(one: Claimed) -> dict[str, Any]:
    return {"subject": f"accountorder:{one.child_id}", "data": {"send": one.sends}}


def _skip_blocked(ids: Collection[UUID], now: datetime) -> None:
    """Leave out what was frozen or switched off since the click."""
    ready = AccountOrder.objects.filter(pk__in=ids, status=Status.READY)
    steps = [*_inactive(ready), *_frozen(ready)]
    if steps:
        take_steps(steps, out_of=[Status.READY], now=now, actor="placement")
        orders = AccountOrder.objects.filter(pk__in=[step.child_id for step in steps])
        refresh_parents(set(orders.values_list("order_id", flat=True)))


def _inactive(ready: QuerySet[AccountOrder]) -> Sequence[Step]:
    inactive = ready.filter(account__is_active=False).values_list("pk", flat=True)
    return [_skip(pk, Reason.INACTIVE, "The account was switched off.") for pk in inactive]


def _frozen(ready: QuerySet[AccountOrder]) -> Sequence[Step]:
    rules = mode_rules()
    if not rules:
        return []
    rows = list(
        ready.filter(account__is_active=True).values_list(
            "pk", "account_id", "order__underlying", "purpose"
        )
    )
    groups = groups_of([account_id for _, account_id, _, _ in rows])
    steps = []
    for pk, account_id, underlying, purpose in rows:
        names = groups.get(account_id, frozenset())
        rule = strictest(rules, account_id=str(account_id), groups=names, underlying=underlying)
        if rule is not None and blocks(rule.mode, Purpose(purpose)):
            code = Reason.FROZEN if rule.mode == Mode.FROZEN else Reason.CLOSE_ONLY
            steps.append(_skip(pk, code, rule.words))
    return steps


def _skip(child_id: UUID, code: Reason, words: str) -> Step:
    return Step(child_id, Status.SKIPPED, {"reason_code": code, "reason": words})
