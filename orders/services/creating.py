"""Create a broadcast: the parent, its legs and one account order per account, all or nothing."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services.audit import event, record
from orders.domain.allocation import Share
from orders.domain.errors import BadTicket, KeyReused, NobodyToSendTo
from orders.domain.lifecycle import ParentStatus, Purpose
from orders.models import ComplexOrder, OrderLeg
from orders.selectors.choosing import AccountChoice, purpose_of, share_out
from orders.services.sharing import write_children
from strategies.domain.catalog import recognise
from strategies.domain.checks import find_problems
from strategies.domain.symbols import is_option, parse_option, underlying_of
from strategies.domain.tickets import OrderType, Problem, Ticket


@dataclass(frozen=True, slots=True)
class Creation:
    """A broadcast that exists.

    Args:
        is_new: whether this call made it.
        ready: its account orders to be sent, in grid order; none of an earlier broadcast.
        legs, shares: what was just written, so that nobody has to read it; likewise.
    """

    order: ComplexOrder
    is_new: bool
    ready: Sequence[UUID] = ()
    legs: Sequence[OrderLeg] = ()
    shares: Sequence[Share] = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    """Everything about a new broadcast that is known before its row exists."""

    ticket: Ticket
    purpose: Purpose
    shares: Sequence[Share]
    deadline_at: datetime


def create_order(
    *,
    agent: User,
    ticket: Ticket,
    choice: AccountChoice,
    idempotency_key: UUID,
    clicked_at: datetime,
    now: datetime,
    today: date,
) -> Creation:
    """Check a trade, fix who gets how much, and write parent and children in one transaction.

    Args:
        idempotency_key: the same key with the same content returns the first broadcast.
        clicked_at: when the request reached us; staleness and `broadcast_ms` count from it.
        today: the New York date, for expired options.

    Errors: BadTicket, NobodyToSendTo, KeyReused; nothing is written then.
    """
    body_hash = hash_of(ticket, choice)
    try:
        draft = _draft(ticket, choice, clicked_at, today)
        with transaction.atomic():
            return _write(draft, agent, idempotency_key, body_hash, clicked_at, now)
    except (IntegrityError, BadTicket):
        # A key that comes again finds its broadcast here: the usual click pays for no look-up.
        earlier = _find_earlier(idempotency_key, body_hash)
        if earlier is None:
            raise
        return Creation(earlier, is_new=False)


def hash_of(ticket: Ticket, choice: AccountChoice) -> str:
    """Return a digest of what is asked, equal for equal requests."""
    asked: Mapping[str, Any] = {"ticket": asdict(ticket), "accounts": asdict(choice)}
    text = json.dumps(asked, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    return format(value.normalize(), "f") if hasattr(value, "normalize") else str(value)


def _find_earlier(key: UUID, body_hash: str) -> ComplexOrder | None:
    earlier = ComplexOrder.objects.filter(idempotency_key=key).first()
    if earlier is not None and earlier.body_hash != body_hash:
        raise KeyReused(
            "This Idempotency-Key was used for another order. Use a new key for a new order."
        )
    return earlier


def _draft(ticket: Ticket, choice: AccountChoice, clicked_at: datetime, today: date) -> _Draft:
    problems = find_problems(ticket, today=today)
    if problems:
        raise BadTicket(problems)
    purpose = purpose_of(ticket)
    shares = share_out(ticket, choice, purpose)
    if not shares:
        raise NobodyToSendTo(
            [Problem("accounts", "no_accounts", "No account matches. Choose at least one.")]
        )
    return _Draft(
        ticket=ticket,
        purpose=purpose,
        shares=shares,
        deadline_at=clicked_at + _time_to_send(ticket, purpose),
    )


def _time_to_send(ticket: Ticket, purpose: Purpose) -> timedelta:
    if purpose == Purpose.CLOSE:
        return timedelta(seconds=settings.READY_DEADLINE_CLOSE_S)
    if ticket.order_type == OrderType.MARKET:
        return timedelta(seconds=settings.READY_DEADLINE_MARKET_S)
    return timedelta(seconds=settings.READY_DEADLINE_S)


def _write(
    draft: _Draft,
    agent: User,
    key: UUID,
    body_hash: str,
    clicked_at: datetime,
    now: datetime,
) -> Creation:
    order = ComplexOrder.objects.create(
        agent=agent,
        idempotency_key=key,
        body_hash=body_hash,
        clicked_at=clicked_at,
        allocation=_statement(draft.shares),
        purpose=draft.purpose,
        status=_first_status(draft.shares),
        **_columns(draft.ticket),
    )
    legs = OrderLeg.objects.bulk_create(
        OrderLeg(
            order=order,
            number=number,
            symbol=leg.symbol,
            instruction=leg.instruction,
            ratio=leg.ratio,
        )
        for number, leg in enumerate(draft.ticket.legs, 1)
    )
    record([event(order, "created", at=now, new=order.status, actor=agent.get_username())])
    ready = write_children(
        order,
        draft.ticket,
        draft.shares,
        deadline_at=draft.deadline_at,
        actor=agent.get_username(),
        now=now,
    )
    return Creation(order, is_new=True, ready=ready, legs=legs, shares=draft.shares)


def _columns(ticket: Ticket) -> dict[str, Any]:
    structure = recognise(ticket.legs)
    first = ticket.legs[0].symbol
    return {
        "strategy": ticket.strategy,
        "name": structure.name,
        "underlying": underlying_of(first),
        "expiration": parse_option(first).expiration if is_option(first) else None,
        "order_type": ticket.order_type,
        "price_effect": ticket.price_effect or "",
        "limit": ticket.limit,
        "stop": ticket.stop,
        "duration": ticket.duration,
        "session": ticket.session,
        "contracts": ticket.contracts,
    }


def _statement(shares: Sequence[Share]) -> dict[str, Any]:
    """Return the allocation statement as it is kept: who gets how much, who is left out and why."""
    return {
        "accounts": [
            {
                "account": str(share.account_id),
                "alias": share.alias,
                "contracts": 0 if share.reason_code else share.contracts,
                "left_out": share.reason_code or "",
                "why": share.reason,
            }
            for share in shares
        ]
    }


def _first_status(shares: Sequence[Share]) -> ParentStatus:
    sendable = any(share.reason_code is None for share in shares)
    return ParentStatus.READY if sendable else ParentStatus.CLOSED_OUT
