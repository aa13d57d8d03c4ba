"""Climb price ladders: move the limits that are due by a step, or stop, or wait."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.domain.words import ModeScope
from accounts.services.audit import event, record
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.exits import AT_WORK
from orders.domain.guards import Guard
from orders.domain.ladders import Ladder, bound_word, next_limit, plain
from orders.domain.lifecycle import ParentStatus, Status, any_of
from orders.models import AccountOrder, ComplexOrder, ExitStep, PriceLadder
from orders.selectors.ladders import parent_ticket
from orders.selectors.writes import may_write, writes_of_accounts
from orders.services.attempts import with_terms
from orders.services.canceling import AT_WORK as CHILD_AT_WORK
from orders.services.canceling import Asked, at_work
from orders.services.ladders import (
    RUNNING,
    accounts_at_work,
    end_ladder,
    rule_against,
)
from orders.services.replacing import replace_rows
from strategies.domain.tickets import Ticket

log = logging.getLogger(__name__)

ACTOR = "ladder"
WAITING = "WAITING"
# One that nobody moved for so long beyond its time does not go on by itself: the agent looks first.
TOO_LATE = timedelta(minutes=5)

FILLED = "Everything is filled."
OVER = "Nothing of it works any more."
LATE = "It stood still for minutes, for no worker was there. Start it again if it is to go on."
AT_BOUND = "The limit is at its {}."
UNKNOWN = "Whether the order in {} is at the broker is not known yet."
REPLACED = "The broker replaced the order in {}; the new one is looked for."
UNDER_WAY = "An order is on its way in {}."
TOO_OFTEN = "{} had nearly as many orders and cancels in a minute as the broker takes."
NOTHING_TO_MOVE = "Nothing works now whose limit it could move."


class _Overtaken(Exception):
    """Somebody stopped the ladder or moved the limit at this moment; nothing was written."""


@dataclass(slots=True)
class Climbed:
    """What one pass did; `asked` has what must be rung for, for each ladder that took a step."""

    asked: list[Asked] = field(default_factory=list)
    stopped: int = 0
    waiting: int = 0


def due_ladders(now: datetime) -> QuerySet[PriceLadder]:
    """Return the ladders whose next step is due, and those with nothing left to move."""
    running = PriceLadder.objects.filter(stopped_at__isnull=True, next_at__isnull=False)
    children = AccountOrder.objects.filter(CHILD_AT_WORK, order=OuterRef("order"))
    steps = ExitStep.objects.filter(
        order=OuterRef("order"), closed_at__isnull=True, state__in=any_of(AT_WORK)
    )
    return running.filter(Q(next_at__lte=now) | ~Exists(children) & ~Exists(steps))


def climb(*, now: datetime) -> Climbed:
    """Let every ladder that is due take one step, stop, or wait for its next time.

    While the outcome of an order is unknown, or one is on its way, a ladder waits. Steps that were
    missed are not made up for.
    """
    climbed = Climbed()
    due = list(due_ladders(now).select_related("order").order_by("pk"))
    # What is asked for in this pass is sent after it: one count holds for all of its ladders.
    writes = writes_of_accounts(now) if due else Counter()
    for ladder in due:
        if taken := _take(ladder, now):
            _go_on(taken, writes, climbed)
    if climbed != Climbed():
        log.info("climbed: %s", climbed)
    return climbed


@dataclass(frozen=True, slots=True)
class _Taken:
    """A ladder that is this pass's until `next_at`, as it was read before that.

    Args:
        ticket: of the whole broadcast, at the limit that it has.
    """

    ladder: PriceLadder
    ticket: Ticket
    next_at: datetime
    now: datetime

    @property
    def order(self) -> ComplexOrder:
        return self.ladder.order

    @property
    def running(self) -> QuerySet[PriceLadder]:
        """The row, unless it was stopped or started anew meanwhile."""
        rows = PriceLadder.objects.filter(pk=self.ladder.pk, stopped_at__isnull=True)
        return rows.filter(next_at=self.next_at)


def _take(ladder: PriceLadder, now: datetime) -> _Taken | None:
    """Take a ladder for this pass; of two callers one gets it."""
    next_at = now + timedelta(seconds=ladder.every_s)
    row = PriceLadder.objects.filter(pk=ladder.pk, stopped_at__isnull=True, next_at=ladder.next_at)
    if not row.update(next_at=next_at):
        return None
    return _Taken(ladder, parent_ticket(ladder.order, ladder.order.legs.all()), next_at, now)


def _go_on(taken: _Taken, writes: Counter[UUID], climbed: Climbed) -> None:
    row, order = taken.ladder, taken.order
    works = list(with_terms(at_work(order.pk, None)))
    moving = [child for child in works if _can_move(child, taken.ticket)]
    rule = rule_against(order, [child.account_id for child in moving])
    limit = next_limit(taken.ticket, Ladder(row.step, row.every_s, row.bound))
    if not works and not accounts_at_work(order.pk):
        _stop(taken, FILLED if order.status == ParentStatus.FILLED else OVER, climbed)
    elif row.next_at is not None and row.next_at < taken.now - TOO_LATE:
        _stop(taken, LATE, climbed)
    elif rule is not None and rule.scope != ModeScope.GATE:
        _stop(taken, rule.words, climbed)
    elif limit is None:
        _stop(taken, AT_BOUND.format(bound_word(taken.ticket)), climbed)
    elif why := (
        _why_wait(works, moving)
        or (rule.words if rule is not None else "")
        or _why_too_often(moving, writes)
    ):
        _wait(taken, why, climbed)
    else:
        _step(taken, moving, limit, climbed)


def _can_move(child: AccountOrder, ticket: Ticket) -> bool:
    """Whether an account order follows the ladder: it works, and nobody wants its end.

    What an exit sends for a part of the set has another worth, and a price of its own.
    """
    is_whole = len(child.legs.all()) == len(ticket.legs)
    return child.status == Status.WORKING and child.cancel_asked_at is None and is_whole


def _why_too_often(moving: Sequence[AccountOrder], writes: Counter[UUID]) -> str:
    """Say which account had so many order writes of late that a ladder must leave it alone."""
    crowded = [child for child in moving if not may_write(child.account_id, writes)]
    return TOO_OFTEN.format(crowded[0].account.alias) if crowded else ""


def _why_wait(works: Sequence[AccountOrder], moving: Sequence[AccountOrder]) -> str:
    """Say what has to be known or done before the next step; nothing if nothing has."""
    for child in works:
        if child.status == Status.UNKNOWN:
            return UNKNOWN.format(child.account.alias)
        if child.status == Status.REPLACED:
            return REPLACED.format(child.account.alias)
    for child in works:
        is_under_way = child.status in {Status.READY, Status.SUBMITTING}
        if is_under_way or child.replace_limit is not None:
            return UNDER_WAY.format(child.account.alias)
    return "" if moving else NOTHING_TO_MOVE


def _step(taken: _Taken, moving: Sequence[AccountOrder], limit: Decimal, climbed: Climbed) -> None:
    try:
        asked = replace_rows(
            moving,
            limit=limit,
            by=ACTOR,
            now=taken.now,
            # The bound was judged by it when the ladder was started; no step goes past that.
            confirm=(Guard.PRICE_AWAY,),
            together=partial(_note_step, taken, limit),
        )
    except _Overtaken:
        return
    except CannotControl as error:
        _wait(taken, str(error), climbed)
    except BadTicket as error:
        _stop(taken, str(error), climbed)
    else:
        climbed.asked.append(asked)


def _note_step(taken: _Taken, limit: Decimal) -> None:
    """Count the step, and stop at the bound. Errors: _Overtaken."""
    order, old = taken.order, taken.order.limit
    if not ComplexOrder.objects.filter(pk=order.pk, limit=old).exists():
        raise _Overtaken
    if not taken.running.update(steps_taken=F("steps_taken") + 1, why=""):
        raise _Overtaken
    step = event(order, "ladder", at=taken.now, old=plain(old), new=plain(limit), actor=ACTOR)
    record([step], is_quiet=True)
    if limit == taken.ladder.bound:
        why = AT_BOUND.format(bound_word(taken.ticket))
        end_ladder(taken.running, order.pk, why=why, actor=ACTOR, now=taken.now)


def _stop(taken: _Taken, why: str, climbed: Climbed) -> None:
    with transaction.atomic():
        if end_ladder(taken.running, taken.order.pk, why=why, actor=ACTOR, now=taken.now):
            climbed.stopped += 1


def _wait(taken: _Taken, why: str, climbed: Climbed) -> None:
    """Keep why it waits; on record once as long as that does not change."""
    climbed.waiting += 1
    with transaction.atomic():
        if taken.running.exclude(why=why[:200]).update(why=why[:200]):
            began = event(
                taken.order,
                "ladder",
                at=taken.now,
                old=RUNNING,
                new=WAITING,
                reason=why[:300],
                actor=ACTOR,
            )
            record([began])
