"""Write the account orders of a new broadcast, with their legs and first events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import AuditEvent
from accounts.services.audit import signed, subject_of
from accounts.services.inserting import insert_copies
from orders.domain.allocation import Share
from orders.domain.bodies import Body
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, AccountOrderLeg, ComplexOrder, OrderLeg, new_id


def write_children(
    order: ComplexOrder,
    shares: Sequence[Share],
    bodies: Mapping[int, Body],
    *,
    deadline_at: datetime,
    actor: str,
    now: datetime,
    facts: Mapping[str, Any],
) -> list[UUID]:
    """Write one account order per share, READY or SKIPPED; return the READY ones in their order.

    The record of all is written with them, the broadcast's own first. The caller holds the
    transaction.

    Args:
        bodies: what is sent, by contracts.
        facts: what the record keeps of the broadcast itself.
    """
    children = [_child(share, bodies[share.contracts]) for share in shares]
    template = AccountOrder(order=order, purpose=order.purpose, deadline_at=deadline_at)
    insert_copies(template, children)
    _give_legs(order)
    told = {"subject": subject_of(order), "kind": "created", "new": order.status, "data": facts}
    data = {n: {"body": body.digest} if body.digest else {} for n, body in bodies.items()}
    events = [told, *(_event(child, data[child["contracts"]]) for child in children)]
    insert_copies(signed(AuditEvent(at=now, kind="status", actor=actor)), events)
    return [child["id"] for child in children if child["status"] == Status.READY]


def _child(share: Share, body: Body) -> dict[str, Any]:
    return {
        "id": new_id(),
        "account_id": share.account_id,
        "contracts": share.contracts,
        "remaining": share.contracts,
        "status": Status.SKIPPED if share.reason_code else Status.READY,
        "reason_code": share.reason_code or "",
        "reason": share.reason,
        "fingerprint": body.fingerprint,
        "body": body.text,
        "body_hash": body.digest,
    }


def _event(child: Mapping[str, Any], data: dict[str, str]) -> dict[str, Any]:
    return {
        "subject": f"accountorder:{child['id']}",
        "new": child["status"],
        "reason": child["reason"],
        "data": data,
    }


def _give_legs(order: ComplexOrder) -> None:
    """Copy the parent's legs to every child, times its contracts, inside the database.

    A condor to 45 accounts has 180 of them; as objects they cost several times as much.
    """
    child_leg, child, leg = (
        model._meta.db_table for model in (AccountOrderLeg, AccountOrder, OrderLeg)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {child_leg} (child_id, number, symbol, instruction, quantity, filled) "
            f"SELECT c.id, l.number, l.symbol, l.instruction, l.ratio * c.contracts, 0 "
            f"FROM {child} c JOIN {leg} l ON l.order_id = c.order_id WHERE c.order_id = %s",
            [order.pk],
        )
