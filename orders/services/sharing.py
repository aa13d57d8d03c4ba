"""Write the account orders of a new broadcast, with their legs and first events."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from accounts.models import AuditEvent
from accounts.services.inserting import insert_copies
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.payloads import encode, order_body
from orders.domain.allocation import Share
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, AccountOrderLeg, ComplexOrder, OrderLeg
from strategies.domain.tickets import Ticket


@dataclass(frozen=True, slots=True)
class _Body:
    """An account's order as it goes on the wire, with what recognises it."""

    text: str
    fingerprint: str
    digest: str
    data: dict[str, str]


def write_children(
    order: ComplexOrder,
    ticket: Ticket,
    shares: Sequence[Share],
    *,
    deadline_at: datetime,
    actor: str,
    now: datetime,
) -> list[UUID]:
    """Write one account order per share, READY or SKIPPED; return the READY ones in their order.

    The caller holds the transaction.
    """
    bodies = {sized: _body(ticket, sized) for sized in {share.contracts for share in shares}}
    children = [_child(share, bodies[share.contracts]) for share in shares]
    template = AccountOrder(order=order, purpose=order.purpose, deadline_at=deadline_at)
    insert_copies(template, children)
    _give_legs(order)
    created = AuditEvent(at=now, kind="status", actor=actor)
    data = [bodies[share.contracts].data for share in shares]
    insert_copies(created, [_event(*pair) for pair in zip(children, data, strict=True)])
    return [child["id"] for child in children if child["status"] == Status.READY]


def _child(share: Share, body: _Body) -> dict[str, Any]:
    return {
        "id": uuid4(),
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


def _body(ticket: Ticket, contracts: int) -> _Body:
    """Build the exact text of an account's order; an account sized to zero has none."""
    if contracts == 0:
        return _Body("", "", "", {})
    body = order_body(replace(ticket, contracts=contracts))
    text = encode(body)
    digest = hashlib.sha256(text).hexdigest()
    return _Body(text.decode("ascii"), fingerprint(body), digest, {"body": digest})
