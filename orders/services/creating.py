"""Create a broadcast: the parent, its legs and one account order per account, all or nothing."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.services.inserting import insert_copies
from orders.domain.allocation import Share
from orders.domain.bodies import body_of
from orders.domain.errors import BadTicket, GuardRefused, KeyReused
from orders.domain.guards import settle
from orders.domain.ladders import Ladder
from orders.domain.laps import Laps
from orders.domain.lifecycle import ParentStatus, Purpose
from orders.models import ComplexOrder, OrderLeg, PriceLadder
from orders.selectors.choosing import AccountChoice
from orders.selectors.guarding import Judged, find_duplicates, judge
from orders.services.ladders import judge_ladder, write_ladder
from orders.services.sharing import write_children
from strategies.domain.symbols import is_option, parse_option, underlying_of
from strategies.domain.tickets import OrderType, Problem, Ticket


@dataclass(frozen=True, slots=True)
class Creation:
    """A broadcast that exists.

    Args:
        is_new: whether this call made it.
        ready: its account orders to be sent, in grid order; none of an earlier broadcast.
        legs, shares, ladder: what was just written, so that nobody has to read it; likewise.
        laps: when it was judged and written.
    """

    order: ComplexOrder
    is_new: bool
    ready: Sequence[UUID] = ()
    legs: Sequence[OrderLeg] = ()
    shares: Sequence[Share] = ()
    ladder: PriceLadder | None = None
    laps: Laps | None = None


@dataclass(frozen=True, slots=True)
class _Click:
    """Who asks for a broadcast, when, under which key, and which guards he has heard."""

    agent: User
    key: UUID
    body_hash: str
    clicked_at: datetime
    now: datetime
    confirmed: Collection[str]


def create_order(
    *,
    agent: User,
    ticket: Ticket,
    choice: AccountChoice,
    idempotency_key: UUID,
    clicked_at: datetime,
    now: datetime,
    today: date,
    confirm: Collection[str] = (),
    ladder: Ladder | None = None,
) -> Creation:
    """Check a trade, fix who gets how much, and write parent and children in one transaction.

    Args:
        idempotency_key: the same key with the same content returns the first broadcast.
        clicked_at: when the request reached us; staleness and `broadcast_ms` count from it.
        today: the New York date, for expired options.
        confirm: codes of guards whose objections the agent overrides.
        ladder: how its limit is to move from there; None leaves it where it is.

    Errors: BadTicket, NobodyToSendTo, GuardRefused, KeyReused; nothing is written then.
    """
    body_hash = hash_of(ticket, choice, ladder)
    click = _Click(agent, idempotency_key, body_hash, clicked_at, now, frozenset(confirm))
    try:
        return _create(ticket, choice, click, ladder, today=today)
    except (IntegrityError, BadTicket):
        # A key that comes again finds its broadcast here: the usual click pays for no look-up.
        earlier = _find_earlier(idempotency_key, body_hash)
        if earlier is None:
            raise
        return Creation(earlier, is_new=False)


def _create(
    ticket: Ticket, choice: AccountChoice, click: _Click, ladder: Ladder | None, *, today: date
) -> Creation:
    laps = Laps(click.clicked_at)
    laps.mark("checked")
    judged = judge(ticket, choice, confirmed=click.confirmed, now=click.now, today=today)
    _check(judged, click)
    bound = judge_ladder(ticket, ladder, confirmed=click.confirmed) if ladder else ()
    laps.mark("judged")
    with transaction.atomic():
        overridden = _check_again(judged, click)
        creation = _write(judged, click, overridden)
        if ladder is not None:
            creation = _with_ladder(creation, ladder, click, bound)
    laps.mark("written")
    return replace(creation, laps=laps)


def hash_of(ticket: Ticket, choice: AccountChoice, ladder: Ladder | None = None) -> str:
    """Return a digest of what is asked, equal for equal requests.

    What the agent confirms is no part of it: it says how to judge, not what to buy. So a click that
    comes again finds its broadcast whether or not it still carries its confirmation, and a ticket
    that was refused can be confirmed under its own key.
    """
    asked: dict[str, Any] = {"ticket": asdict(ticket), "accounts": asdict(choice)}
    if ladder is not None:
        asked["ladder"] = asdict(ladder)
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


def _check(judged: Judged, click: _Click) -> None:
    """Raise what the guards object to, all of it at once."""
    if settle(judged.problems, click.confirmed)[0]:
        found = [*judged.problems, *find_duplicates(judged, now=click.now)]
        raise GuardRefused(*settle(found, click.confirmed))


def _check_again(judged: Judged, click: _Click) -> Sequence[Problem]:
    """Look for duplicates while nobody else can write one; return all that was overridden.

    Two clicks with different keys may come at the same moment. SQLite has one writer at a time;
    elsewhere those with the same trade wait here for each other, and see what the first one wrote.
    """
    if connection.vendor == "postgresql":
        name = bytes.fromhex(body_of(judged.ticket, 1).fingerprint)
        with connection.cursor() as cursor:
            lock = int.from_bytes(name[:8], signed=True)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
    same = find_duplicates(judged, now=click.now, confirmed=click.confirmed)
    found = [*judged.problems, *same]
    refused, overridden = settle(found, click.confirmed)
    if refused:
        raise GuardRefused(refused, overridden)
    return overridden


def _time_to_send(ticket: Ticket, purpose: Purpose) -> timedelta:
    if purpose == Purpose.CLOSE:
        return timedelta(seconds=settings.READY_DEADLINE_CLOSE_S)
    if ticket.order_type == OrderType.MARKET:
        return timedelta(seconds=settings.READY_DEADLINE_MARKET_S)
    return timedelta(seconds=settings.READY_DEADLINE_S)


def _write(judged: Judged, click: _Click, overridden: Sequence[Problem]) -> Creation:
    ticket, actor = judged.ticket, click.agent.get_username()
    order = ComplexOrder.objects.create(
        agent=click.agent,
        idempotency_key=click.key,
        body_hash=click.body_hash,
        clicked_at=click.clicked_at,
        allocation=_statement(judged.shares),
        purpose=judged.purpose,
        status=_first_status(judged.shares),
        **_columns(judged),
    )
    legs = [{"number": number, **asdict(leg)} for number, leg in enumerate(ticket.legs, 1)]
    insert_copies(OrderLeg(order=order), legs)
    facts = {"overridden": {one.code: one.message for one in overridden}} if overridden else {}
    ready = write_children(
        order,
        judged.shares,
        judged.bodies,
        deadline_at=click.clicked_at + _time_to_send(ticket, judged.purpose),
        actor=actor,
        now=click.now,
        facts=facts,
    )
    written = [OrderLeg(order=order, **leg) for leg in legs]
    return Creation(order, is_new=True, ready=ready, legs=written, shares=judged.shares)


def _with_ladder(
    creation: Creation, ladder: Ladder, click: _Click, overridden: Sequence[Problem]
) -> Creation:
    actor = click.agent.get_username()
    row = write_ladder(creation.order, ladder, actor=actor, now=click.now, overridden=overridden)
    return replace(creation, ladder=row)


def _columns(judged: Judged) -> dict[str, Any]:
    ticket = judged.ticket
    first = ticket.legs[0].symbol
    return {
        "strategy": ticket.strategy,
        "name": judged.structure.name,
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
