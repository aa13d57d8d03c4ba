"""Open an exit: one closing order for the set, and one exit step per account, all or nothing."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.inserting import insert_copies
from orders.domain.errors import AlreadyFlat, KeyReused
from orders.domain.exits import AT_WORK, ExitState, ExitTerms
from orders.domain.ladders import plain
from orders.domain.lifecycle import ParentStatus, Purpose, any_of
from orders.models import ComplexOrder, ExitStep, OrderLeg, PlacedOrderSet
from orders.services.exits.judging import (
    Draft,
    SetNow,
    check_terms,
    draft_exit,
    plan_of,
    read_set,
)
from orders.services.ladders import judge_ladder, write_ladder

NOTHING_LEFT = "Nothing of this set is left to close in these accounts."


@dataclass(frozen=True, slots=True)
class Opened:
    """The closing order of an exit; `is_new` tells whether this call made it."""

    order: ComplexOrder
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Click:
    agent: User
    key: UUID
    body_hash: str
    clicked_at: datetime
    now: datetime


def open_exit(
    *,
    placed_set: PlacedOrderSet,
    terms: ExitTerms,
    agent: User,
    idempotency_key: UUID,
    clicked_at: datetime,
    now: datetime,
) -> Opened:
    """Open the way out of a set in its accounts; orders follow as their plans are ready.

    While an exit of all the accounts meant is at work, it is returned and nothing is written.

    Errors: BadTicket, GuardRefused, KeyReused, AlreadyFlat; nothing is written then.
    """
    click = _Click(agent, idempotency_key, _hash_of(placed_set, terms), clicked_at, now)
    if earlier := _find_earlier(click):
        return Opened(earlier, is_new=False)
    known = read_set(placed_set)
    check_terms(known, terms)
    if working := _all_at_work(known, terms):  # a second click needs no prices
        return Opened(working, is_new=False)
    draft, ladder = draft_exit(known, terms, now), terms.ladder
    bound = judge_ladder(draft.ticket, ladder, confirmed=terms.confirm) if ladder else ()
    with transaction.atomic():
        # Whoever comes at the same moment waits here, and finds what this one wrote.
        list(PlacedOrderSet.objects.select_for_update().filter(pk=placed_set.pk).values_list("pk"))
        known = read_set(placed_set)
        if earlier := _find_earlier(click) or _all_at_work(known, terms):
            return Opened(earlier, is_new=False)
        order = _write(known, terms, draft, click)
        if ladder is not None:
            write_ladder(order, ladder, actor=agent.get_username(), now=now, overridden=bound)
        return Opened(order, is_new=True)


def _hash_of(placed_set: PlacedOrderSet, terms: ExitTerms) -> str:
    asked: list[Any] = [
        placed_set.pk,
        terms.pricing,
        None if terms.limit is None else format(terms.limit.normalize(), "f"),
        terms.percent,
        None if terms.accounts is None else sorted(map(str, terms.accounts)),
    ]
    if terms.ladder is not None:
        asked += [plain(terms.ladder.step), terms.ladder.every_s, plain(terms.ladder.bound)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _find_earlier(click: _Click) -> ComplexOrder | None:
    earlier = ComplexOrder.objects.filter(idempotency_key=click.key).first()
    if earlier is not None and earlier.body_hash != click.body_hash:
        raise KeyReused(
            "This Idempotency-Key was used for another order. Use a new key for a new exit."
        )
    return earlier


def _open_steps(placed_set: PlacedOrderSet) -> QuerySet[ExitStep]:
    return ExitStep.objects.filter(placed_order_set=placed_set, closed_at__isnull=True)


def _at_work(placed_set: PlacedOrderSet) -> dict[UUID, int | None]:
    working = _open_steps(placed_set).filter(state__in=any_of(AT_WORK))
    return dict(working.values_list("account_id", "order_id"))


def _all_at_work(known: SetNow, terms: ExitTerms) -> ComplexOrder | None:
    """Return the exit that is at work in every account that is meant, the newest of several."""
    at_work = _at_work(known.placed_set)
    wanted = known.meant(terms)
    if not wanted and not at_work:
        raise AlreadyFlat(NOTHING_LEFT)
    if not at_work or not set(wanted) <= set(at_work):
        return None
    newest = max(order_id for order_id in at_work.values() if order_id is not None)
    return ComplexOrder.objects.get(pk=newest)


def _write(known: SetNow, terms: ExitTerms, draft: Draft, click: _Click) -> ComplexOrder:
    placed_set, at_work = known.placed_set, _at_work(known.placed_set)
    left = {pk: legs for pk, legs in known.meant(terms).items() if pk not in at_work}
    if not left:
        raise AlreadyFlat(NOTHING_LEFT)
    order = _write_order(placed_set, terms, draft, click)
    _supersede(placed_set, list(left), order, click)
    plans = {pk: plan_of(known, pk, terms.percent) for pk in left}
    step = ExitStep(
        placed_order_set=placed_set, order=order, state=ExitState.WAITING, due_at=click.now
    )
    insert_copies(step, [{"account_id": pk, "plan": plan} for pk, plan in plans.items()])
    data = {
        "set": placed_set.pk,
        "percent": terms.percent,
        "pricing": terms.pricing,
        "accounts": len(plans),
        "overridden": {one.code: one.message for one in draft.overridden},
    }
    actor = click.agent.get_username()
    opened = event(order, "exit", at=click.now, new=order.status, actor=actor, data=data)
    record([opened], is_quiet=True)
    PlacedOrderSet.objects.filter(pk=placed_set.pk).update(flat_at=None)
    return order


def _write_order(
    placed_set: PlacedOrderSet, terms: ExitTerms, draft: Draft, click: _Click
) -> ComplexOrder:
    ticket, entry = draft.ticket, placed_set.order
    order = ComplexOrder.objects.create(
        agent=click.agent,
        idempotency_key=click.key,
        body_hash=click.body_hash,
        clicked_at=click.clicked_at,
        purpose=Purpose.CLOSE,
        closes=placed_set,
        percent=terms.percent,
        pricing=terms.pricing,
        status=ParentStatus.READY,
        strategy=ticket.strategy,
        name=draft.structure.name,
        underlying=entry.underlying,
        expiration=entry.expiration,
        order_type=ticket.order_type,
        price_effect=ticket.price_effect or "",
        limit=ticket.limit,
        duration=ticket.duration,
        session=ticket.session,
        contracts=ticket.contracts,
    )
    OrderLeg.objects.bulk_create(
        OrderLeg(
            order=order,
            number=number,
            symbol=leg.symbol,
            instruction=leg.instruction,
            ratio=leg.ratio,
        )
        for number, leg in enumerate(ticket.legs, 1)
    )
    return order


def _supersede(
    placed_set: PlacedOrderSet, accounts: Sequence[UUID], order: ComplexOrder, click: _Click
) -> None:
    """Close what an earlier exit left over in these accounts: this one takes it on."""
    why = f"Tried again by exit #{order.pk}."
    _open_steps(placed_set).filter(account__in=accounts).update(
        state=ExitState.DONE, handled_why=why, closed_at=click.now, due_at=None
    )
