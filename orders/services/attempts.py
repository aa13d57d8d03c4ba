"""Write further attempts of account orders: what is sent instead of one that came to its end."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Max, QuerySet

from accounts.services.audit import event, record
from orders.domain.bodies import Body, body_of
from orders.domain.lifecycle import Purpose, Status
from orders.models import AccountOrder, AccountOrderLeg, ExitStep
from strategies.domain.catalog import Structure, recognise
from strategies.domain.tickets import (
    Duration,
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Session,
    Ticket,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is to be sent next in the account of an order that has ended.

    Args:
        ticket: this account's own, with its contracts.
        is_successor: whether it takes the old one's place, also in the step of an exit; a retry of
            one that never came to the broker does not.
    """

    old: AccountOrder
    ticket: Ticket
    body: Body
    is_successor: bool


def prepare(
    old: AccountOrder, *, contracts: int, limit: Decimal | None = None, is_successor: bool = True
) -> Attempt:
    """Return the next attempt for this many contracts, at its own or another limit.

    Errors: ValueError for what the wire cannot carry.
    """
    ticket = ticket_of(old, contracts=contracts, limit=limit)
    return Attempt(old, ticket, body_of(ticket, contracts), is_successor)


def with_terms(rows: QuerySet[AccountOrder]) -> QuerySet[AccountOrder]:
    """Read with account orders what `ticket_of` needs of them."""
    # The statement has a line per account: to read it once per account would take its square.
    return rows.select_related("order").defer("order__allocation").prefetch_related("legs")


def ticket_of(child: AccountOrder, *, contracts: int, limit: Decimal | None = None) -> Ticket:
    """Return an account order as a ticket: its own legs and price, which an exit's parent lacks.

    Args:
        contracts: how many it is to be for.
        limit: None for its own.

    Errors: ImpossibleTrade for legs that make no trade.
    """
    order, sent = child.order, json.loads(child.body or "{}")
    rows = child.legs.all()
    legs = tuple(
        Leg(leg.symbol, Instruction(leg.instruction), leg.quantity // child.contracts)
        for leg in rows
    )
    structure = recognise(legs)
    word = str(sent.get("orderType") or order.order_type)
    is_priced = word in set(PriceEffect)
    own_limit = Decimal(sent["price"]) if "price" in sent else order.limit
    return Ticket(
        strategy=structure.strategy,
        legs=legs,
        order_type=OrderType.LIMIT if is_priced else OrderType(word),
        contracts=contracts,
        limit=own_limit if limit is None else limit,
        stop=order.stop,
        price_effect=PriceEffect(word) if is_priced else _effect(structure, word),
        duration=Duration(order.duration),
        session=Session(order.session),
    )


def _effect(structure: Structure, word: str) -> PriceEffect | None:
    """Return which way the price flows where the order's own text does not say it."""
    return structure.price_effect if word == OrderType.LIMIT else None


def add_attempts(attempts: Sequence[Attempt], *, actor: str, now: datetime) -> list[AccountOrder]:
    """Write these attempts, READY, in the order given; the caller holds the transaction and locks.

    Errors: IntegrityError when another attempt was written at this moment.
    """
    if not attempts:
        return []
    numbers = _next_numbers([one.old for one in attempts])
    children = AccountOrder.objects.bulk_create([_child(one, numbers, now) for one in attempts])
    AccountOrderLeg.objects.bulk_create(
        leg
        for one, child in zip(attempts, children, strict=True)
        for leg in legs_of(child, one.ticket.legs)
    )
    written = [
        event(
            child,
            "status",
            at=now,
            new=Status.READY,
            actor=actor,
            data={"body": child.body_hash, "after": str(one.old.pk)},
        )
        for one, child in zip(attempts, children, strict=True)
    ]
    record(written, is_quiet=True)
    link(
        {
            one.old.pk: child
            for one, child in zip(attempts, children, strict=True)
            if one.is_successor
        }
    )
    return children


def legs_of(child: AccountOrder, legs: Sequence[Leg]) -> list[AccountOrderLeg]:
    """Return the rows of an account order's own legs."""
    return [
        AccountOrderLeg(
            child=child,
            number=number,
            symbol=leg.symbol,
            instruction=leg.instruction,
            quantity=leg.ratio * child.contracts,
        )
        for number, leg in enumerate(legs, 1)
    ]


def link(successors: Mapping[UUID, AccountOrder]) -> None:
    """Let account orders take the places of those that they succeed; locked by the caller.

    Args:
        successors: by the id of the old one.
    """
    AccountOrder.objects.bulk_update(
        [AccountOrder(pk=old_id, successor=new) for old_id, new in successors.items()],
        ["successor"],
    )
    steps = ExitStep.objects.filter(child__in=list(successors)).select_for_update().order_by("pk")
    ExitStep.objects.bulk_update(
        [
            ExitStep(pk=step_id, child=successors[old_id])
            for step_id, old_id in steps.values_list("pk", "child_id")
            if old_id is not None
        ],
        ["child"],
    )


def next_number(child: AccountOrder) -> int:
    """Return the number of an account's next attempt; another may take it at this moment."""
    return _next_numbers([child])[child.order_id, child.account_id]


def _next_numbers(olds: Collection[AccountOrder]) -> dict[tuple[int, UUID], int]:
    rows = AccountOrder.objects.filter(
        order__in={old.order_id for old in olds}, account__in={old.account_id for old in olds}
    ).order_by()
    highest = rows.values_list("order_id", "account_id").annotate(Max("attempt"))
    return {(order_id, account_id): most + 1 for order_id, account_id, most in highest}


def _child(one: Attempt, numbers: Mapping[tuple[int, UUID], int], now: datetime) -> AccountOrder:
    old, body = one.old, one.body
    return AccountOrder(
        order_id=old.order_id,
        account_id=old.account_id,
        attempt=numbers[old.order_id, old.account_id],
        purpose=old.purpose,
        contracts=one.ticket.contracts,
        remaining=one.ticket.contracts,
        deadline_at=now + _time_to_send(one.ticket, Purpose(old.purpose)),
        fingerprint=body.fingerprint,
        body=body.text,
        body_hash=body.digest,
    )


def _time_to_send(ticket: Ticket, purpose: Purpose) -> timedelta:
    if purpose == Purpose.CLOSE:
        return timedelta(seconds=settings.READY_DEADLINE_CLOSE_S)
    if ticket.order_type == OrderType.MARKET:
        return timedelta(seconds=settings.READY_DEADLINE_MARKET_S)
    return timedelta(seconds=settings.READY_DEADLINE_S)
