"""What a stretch of the record means to people and receivers outside."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.domain.happenings import Kind
from accounts.domain.words import LoginStatus, Mode
from accounts.models import AuditEvent, BrokerLogin, Message
from orders.domain.lifecycle import Status
from orders.domain.naming import few_of
from orders.models import AccountOrder, ComplexOrder, ExitStep, PlacedOrderSet

ORDERS_REJECTED = "ORDERS_REJECTED"
LOGIN_REQUIRED = "LOGIN_REQUIRED"
FROZEN = "FROZEN"
REFUSED = frozenset({Status.REJECTED, Status.FAILED_TO_PLACE})
NAMED = 5


@dataclass(frozen=True, slots=True)
class Telling:
    """Something to tell.

    Args:
        kind: of the message for receivers; None for none.
        alarm: its code and words, for people; None for none.
    """

    subject: str
    at: datetime
    kind: Kind | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    alarm: tuple[str, str] | None = None


def read_tellings(events: Sequence[AuditEvent]) -> list[Telling]:
    """Return what these events are told as, grouped by broadcast where they are about orders."""
    return [*_of_orders(events), *_of_sets(events), *_of_logins(events), *_of_others(events)]


@dataclass(slots=True)
class _Broadcast:
    """What happened to one broadcast in this stretch: its account orders by their new status."""

    at: datetime
    children: dict[UUID, str] = field(default_factory=dict)


def _of_orders(events: Sequence[AuditEvent]) -> Iterator[Telling]:
    steps = {_key(one): one for one in events if _is(one, "accountorder", "status")}
    ids = [UUID(key) for key in steps]
    rows = AccountOrder.objects.filter(pk__in=ids).select_related("account")
    found = {row.pk: row for row in rows.defer("body")}
    touched: dict[int, _Broadcast] = {}
    for key, one in steps.items():
        if (row := found.get(UUID(key))) is not None:
            kept = touched.setdefault(row.order_id, _Broadcast(one.at))
            kept.at = max(kept.at, one.at)
            kept.children[row.pk] = one.new
    for one in events:
        if _is(one, "complexorder", None) and _key(one).isdecimal():
            touched.setdefault(int(_key(one)), _Broadcast(one.at))
    yield from _statuses(touched | _of_steps(events, touched))
    sets = _sets_of([pk for pk, kept in touched.items() if Status.FILLED in kept.children.values()])
    for order_id, kept in touched.items():
        yield from _of_children(order_id, kept, found, sets.get(order_id))


def _of_steps(
    events: Sequence[AuditEvent], touched: Mapping[int, _Broadcast]
) -> dict[int, _Broadcast]:
    """Return the exits whose steps moved: their status may have changed with them."""
    steps = {_key(one): one.at for one in events if _is(one, "exitstep", "exit")}
    rows = ExitStep.objects.filter(pk__in=list(steps), order__isnull=False)
    return {
        order_id: _Broadcast(steps[str(pk)])
        for pk, order_id in rows.values_list("pk", "order_id")
        if order_id is not None and order_id not in touched
    }


def _statuses(touched: Mapping[int, _Broadcast]) -> Iterator[Telling]:
    """Tell of each broadcast whose status is another than the one that was told last."""
    told = _told([f"complexorder:{pk}" for pk in touched])
    rows = ComplexOrder.objects.filter(pk__in=list(touched)).order_by("pk")
    for order in rows.defer("allocation"):
        subject = f"complexorder:{order.pk}"
        if told.get(subject) == order.status:
            continue
        data = {
            "order": order.pk,
            "name": order.name,
            "underlying": order.underlying,
            "purpose": order.purpose,
            "status": order.status,
            "was": told.get(subject),
        }
        yield Telling(subject, touched[order.pk].at, Kind.ORDER_STATUS, data)


def _told(subjects: Sequence[str]) -> dict[str, str]:
    rows = Message.objects.filter(kind=Kind.ORDER_STATUS, subject__in=subjects).order_by("pk")
    return {subject: data["status"] for subject, data in rows.values_list("subject", "data")}


def _of_children(
    order_id: int, one: _Broadcast, found: Mapping[UUID, AccountOrder], set_id: int | None
) -> Iterator[Telling]:
    """Tell, once for all of its accounts, what was refused, is unknown or was filled."""
    by_status: dict[str, list[AccountOrder]] = defaultdict(list)
    for pk, status in one.children.items():
        by_status[status].append(found[pk])
    subject = f"complexorder:{order_id}"
    refused = [row for status in sorted(REFUSED) for row in by_status[status]]
    for kind, rows in (
        (Kind.ORDER_REJECTED, refused),
        (Kind.ORDER_UNKNOWN, by_status[Status.UNKNOWN]),
        (Kind.ORDER_FILLED, by_status[Status.FILLED]),
    ):
        if rows:
            alarm = _refusal(order_id, rows) if kind is Kind.ORDER_REJECTED else None
            data = _accounts(order_id, rows) | {"set": set_id}
            yield Telling(subject, one.at, kind, data, alarm)


def _sets_of(order_ids: Sequence[int]) -> dict[int, int | None]:
    """Return the set that each broadcast made, or closes."""
    rows = ComplexOrder.objects.filter(pk__in=order_ids)
    found = rows.values_list("pk", "placed_order_set__pk", "closes_id")
    return {pk: made or closed for pk, made, closed in found}


def _accounts(order_id: int, rows: Sequence[AccountOrder]) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: row.account.position)
    return {"order": order_id, "accounts": [_account(row) for row in ordered]}


def _account(row: AccountOrder) -> dict[str, Any]:
    return {
        "id": str(row.account_id),
        "alias": row.account.alias,
        "status": row.status,
        "contracts": row.contracts,
        "filled": int(row.filled),
        "net_price": None if row.net_price is None else f"{row.net_price:f}",
        "reason_code": row.reason_code,
        "reason": row.reason,
    }


def _refusal(order_id: int, rows: Sequence[AccountOrder]) -> tuple[str, str]:
    names = sorted(row.account.alias for row in rows)
    why = rows[0].reason or "the broker gave no reason"
    count = f"{len(names)} account order{'' if len(names) == 1 else 's'}"
    words = f"Broadcast {order_id}: {count} refused, in {few_of(names, NAMED)}: {why}"
    return ORDERS_REJECTED, words


def _of_sets(events: Sequence[AuditEvent]) -> Iterator[Telling]:
    flat = {_key(one): one for one in events if _is(one, "placedorderset", "flat")}
    rows = PlacedOrderSet.objects.filter(pk__in=list(flat)).order_by("pk")
    for pk, order_id in rows.values_list("pk", "order_id"):
        one = flat[str(pk)]
        yield Telling(one.subject, one.at, Kind.EXIT_FLAT, {"set": pk, "order": order_id})


def _of_logins(events: Sequence[AuditEvent]) -> Iterator[Telling]:
    lost = {
        _key(one): one
        for one in events
        if _is(one, "brokerlogin", "status")
        and one.new in {LoginStatus.LOGIN_REQUIRED, LoginStatus.ERROR}
    }
    rows = BrokerLogin.objects.filter(pk__in=list(lost)).order_by("label")
    for pk, label in rows.values_list("pk", "label"):
        one = lost[str(pk)]
        words = f"{label} must be connected again, under Logins: {one.reason or one.new}"
        yield Telling(one.subject, one.at, alarm=(LOGIN_REQUIRED, words))


def _of_others(events: Sequence[AuditEvent]) -> Iterator[Telling]:
    for one in events:
        if one.kind in {"mode", "gate"}:
            yield _of_mode(one)
        elif one.kind == "alarm seen":
            data = {"code": one.new, "by": one.actor}
            yield Telling(one.subject, one.at, Kind.ALARM_ACKNOWLEDGED, data)


def _of_mode(one: AuditEvent) -> Telling:
    scope, _, target = _key(one).partition(":")
    data = {
        "scope": scope or "GATE",
        "target": target,
        "was": one.old,
        "mode": one.new,
        "why": one.reason,
        "by": one.actor,
    }
    is_frozen = one.kind == "mode" and one.new == Mode.FROZEN and one.old != Mode.FROZEN
    words = f"{target or 'The fleet'} was frozen by {one.actor}: {one.reason}"
    alarm = (FROZEN, words) if is_frozen else None
    return Telling(one.subject, one.at, Kind.MODE_CHANGED, data, alarm)


def _is(one: AuditEvent, table: str, kind: str | None) -> bool:
    return one.subject.startswith(f"{table}:") and kind in (None, one.kind)


def _key(one: AuditEvent) -> str:
    return one.subject.partition(":")[2]
