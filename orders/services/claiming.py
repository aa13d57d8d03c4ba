"""Claim account orders for sending: one UPDATE decides, on the disk before a byte is sent."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Field, OuterRef, QuerySet

from accounts.domain.modes import strictest
from accounts.domain.words import Mode
from accounts.fields import Secret, kept_secret
from accounts.models import Account, AuditEvent, Token
from accounts.selectors import groups_of
from accounts.selectors.modes import mode_rules
from accounts.services.audit import signed
from accounts.services.inserting import insert_copies, read_rows
from orders.domain.allocation import blocks
from orders.domain.lifecycle import UNRESOLVED, Purpose, Reason, Status, any_of
from orders.models import AccountOrder, ComplexOrder
from orders.services.parents import refresh_parents
from orders.services.precedence import in_turn
from orders.services.steps import Step, take_steps


@dataclass(frozen=True, slots=True)
class Claimed:
    """An account order that this process alone may send now.

    Args:
        send_before: the request must not be written after it.
        access: the login's access token; it and its version are None if it never had one.
    """

    child_id: UUID
    order_id: int
    account_id: UUID
    login_id: UUID
    account_hash: str
    body: str = field(repr=False)
    sends: int
    deadline_at: datetime
    send_before: datetime
    clicked_at: datetime
    token_version: int | None
    access: Secret | None


def claim(ids: Collection[UUID], *, clock: Callable[[], datetime]) -> list[Claimed]:
    """Move READY account orders to SUBMITTING and return those that this call won.

    Passed over: orders past their deadline or not yet due, and those with an unresolved twin in
    their account. Orders of an account that is frozen or switched off become SKIPPED.

    Args:
        clock: read when the database is ours: waiting for it makes orders stale.
    """
    if not ids:
        return []
    try:
        return _claim(ids, clock)
    except IntegrityError:
        # Somebody claimed a twin at this very moment. Now it can be seen, and is passed over.
        return _claim(ids, clock)


def _claim(ids: Collection[UUID], clock: Callable[[], datetime]) -> list[Claimed]:
    with in_turn(), transaction.atomic(durable=True):
        now = clock()
        _skip(_frozen(ids), now)
        mark = uuid4()
        won = _take(ids, mark, now)
        if won < len(ids):
            _skip(_inactive(ids), now)
        claimed = _read_claimed(ids, mark, now) if won else []
        template = signed(
            AuditEvent(
                at=now,
                kind="status",
                old=Status.READY,
                new=Status.SUBMITTING,
                actor="placement",
            )
        )
        data = {sends: {"send": sends} for sends in {one.sends for one in claimed}}
        insert_copies(
            template,
            [
                {"subject": f"accountorder:{one.child_id}", "data": data[one.sends]}
                for one in claimed
            ],
        )
    return claimed


def unresolved_twins() -> QuerySet[AccountOrder]:
    """Return the unresolved orders that are the same order in the same account, as a subquery."""
    return AccountOrder.objects.filter(
        account=OuterRef("account"),
        fingerprint=OuterRef("fingerprint"),
        status__in=any_of(UNRESOLVED),
    )


def _take(ids: Collection[UUID], mark: UUID, now: datetime) -> int:
    """Mark what may be sent as ours in one UPDATE; return how many rows that were.

    Written out, because the ORM takes longer to say it than the database takes to do it.
    """
    child, account = AccountOrder._meta.db_table, Account._meta.db_table
    chosen, keys = ", ".join(["%s"] * len(ids)), _prepared("id", *ids)
    sql = f"""
        UPDATE {child} SET status = %s, claim = %s, claimed_at = %s, sends = sends + 1
        WHERE id IN ({chosen}) AND status = %s AND deadline_at > %s
        AND (not_before IS NULL OR not_before <= %s)
        AND EXISTS (SELECT 1 FROM {account} a WHERE a.id = {child}.account_id AND a.is_active)
        AND NOT EXISTS (
            SELECT 1 FROM {child} twin WHERE twin.account_id = {child}.account_id
            AND twin.fingerprint = {child}.fingerprint AND twin.status IN (%s, %s)
        )"""
    (at,) = _prepared("claimed_at", now)
    marked = [Status.SUBMITTING.value, *_prepared("claim", mark), at]
    due = [*keys, Status.READY.value, at, at]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Locked in one order: deliveries of the same message wait for each other, and never
            # cross. Apart from the UPDATE: together with it, PostgreSQL, which believes that next
            # to nothing is READY, compared every READY order with every one that is locked.
            lock = f"SELECT 1 FROM {child} WHERE id IN ({chosen}) ORDER BY id FOR UPDATE"
            cursor.execute(lock, keys)
        cursor.execute(sql, [*marked, *due, *any_of(UNRESOLVED)])
        return int(cursor.rowcount)


def _prepared(name: str, *values: object) -> list[Any]:
    """Return values as this database keeps them in a column of the account orders."""
    column = cast("Field[Any, Any]", AccountOrder._meta.get_field(name))
    return [column.get_db_prep_value(value, connection) for value in values]


def _read_claimed(ids: Collection[UUID], mark: UUID, now: datetime) -> list[Claimed]:
    """Read all that sending needs in one query, tokens included, in grid order.

    Written out as well: with the ORM, half of the claim was spent on saying this.
    """
    # A sender that was stopped meanwhile must not send what was given up long ago.
    latest = now + timedelta(seconds=settings.BROKER_TIMEOUT_S)
    found = read_rows(
        f"""
        SELECT {{}} FROM {AccountOrder._meta.db_table} c
        JOIN {ComplexOrder._meta.db_table} o ON o.id = c.order_id
        JOIN {Account._meta.db_table} a ON a.id = c.account_id
        LEFT JOIN {Token._meta.db_table} t ON t.login_id = a.login_id
        WHERE c.claim = %s AND c.id IN ({", ".join(["%s"] * len(ids))}) ORDER BY a.position""",
        [*_prepared("claim", mark), *_prepared("id", *ids)],
        columns=_CLAIMED,
    )
    claimed = []
    for *own, clicked_at, version, token_id, envelope in found:
        access = kept_secret(Token, "access", token_id, envelope)
        parts: list[Any] = [*own, min(own[-1], latest), clicked_at, version, access]
        claimed.append(Claimed(*parts))
    return claimed


_CLAIMED = (
    *(("c", AccountOrder, name) for name in ("id", "order_id", "account_id")),
    *(("a", Account, name) for name in ("login_id", "hash_value")),
    *(("c", AccountOrder, name) for name in ("body", "sends", "deadline_at")),
    ("o", ComplexOrder, "clicked_at"),
    *(("t", Token, name) for name in ("version", "id", "access")),
)


def _skip(steps: Sequence[Step], now: datetime) -> None:
    """Leave out what was frozen or switched off since the click; the others are sent next."""
    if steps:
        take_steps(steps, out_of=[Status.READY], now=now, actor="placement", is_quiet=True)
        orders = AccountOrder.objects.filter(pk__in=[step.child_id for step in steps])
        refresh_parents(set(orders.values_list("order_id", flat=True)))


def _inactive(ids: Collection[UUID]) -> Sequence[Step]:
    ready = AccountOrder.objects.filter(pk__in=ids, status=Status.READY)
    inactive = ready.filter(account__is_active=False).values_list("pk", flat=True)
    return [_skipped(pk, Reason.INACTIVE, "The account was switched off.") for pk in inactive]


def _frozen(ids: Collection[UUID]) -> Sequence[Step]:
    rules = mode_rules()
    if not rules:
        return []
    ready = AccountOrder.objects.filter(pk__in=ids, status=Status.READY)
    rows = list(ready.values_list("pk", "account_id", "order__underlying", "purpose"))
    groups = groups_of([account_id for _, account_id, _, _ in rows])
    steps = []
    for pk, account_id, underlying, purpose in rows:
        names = groups.get(account_id, frozenset())
        rule = strictest(rules, account_id=str(account_id), groups=names, underlying=underlying)
        if rule is not None and blocks(rule.mode, Purpose(purpose)):
            code = Reason.FROZEN if rule.mode == Mode.FROZEN else Reason.CLOSE_ONLY
            steps.append(_skipped(pk, code, rule.words))
    return steps


def _skipped(child_id: UUID, code: Reason, words: str) -> Step:
    return Step(child_id, Status.SKIPPED, {"reason_code": code, "reason": words})
