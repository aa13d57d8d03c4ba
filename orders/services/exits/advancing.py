"""Carry exits on: clear the way, read what is held, send what closes it, prove that it is flat."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from accounts.services.asking import FanOut
from brokerage.schwab.replies import AccountReading
from orders.domain.exiting import Holdings
from orders.domain.exits import ExitState
from orders.models import ExitStep, LegFill
from orders.selectors.due import due_steps
from orders.services.exits import clearing
from orders.services.exits.beginnings import Linked
from orders.services.exits.in_hand import Hands
from orders.services.exits.judging import plan_of, read_sets
from orders.services.exits.looking import Looked, Seen, look
from orders.services.exits.planning import (
    SOON,
    Facts,
    Outcome,
    Prices,
    accounts_of,
    plan,
    wanted_of,
)
from orders.services.exits.situation import (
    POSITIONS_BEHIND,
    Closers,
    closed_by_exit,
    closers_in,
    closing_by,
    fresh_fills,
    load_steps,
    other_sets,
)
from orders.services.exits.writing import give_up, postpone, write_outcomes

log = logging.getLogger(__name__)

# An account that cannot be read for so long is left to the agent.
READ_WITHIN = timedelta(seconds=60)
# Orders that were written before are over, or are seen as they are not.
RECENTLY = timedelta(seconds=1)
UNREAD = "Its positions could not be read for a minute. {}"


@dataclass(slots=True)
class Advanced:
    """What one pass did.

    Args:
        ready: closing orders that were written and must be sent, by exit. Two exits may send the
            same order in the same account, and those must not be claimed together.
        refused_tokens: the token version that was refused, by login.
        readings: positions as read at `read_at`, to be kept once nothing waits to be sent; likewise
            the beginnings of the next lists, for the accounts that were linked.
    """

    steps: int = 0
    ready: Mapping[int, Sequence[UUID]] = field(default_factory=dict)
    readings: Sequence[tuple[UUID, AccountReading]] = ()
    beginnings: Mapping[UUID, datetime] = field(default_factory=dict)
    linked: Linked = field(default_factory=dict)
    read_at: datetime | None = None
    refused_tokens: dict[UUID, int] = field(default_factory=dict)


def advance_exits(
    *, gateway: FanOut, order_ids: Collection[int] | None = None, hands: Hands | None = None
) -> Advanced:
    """Carry on every exit that is due, or these, as far as it goes now.

    Whatever is not proved yet is looked at again a second later; what only the agent can decide is
    left to him as residual, with the reason.

    Args:
        hands: passes over what other passes that share them are at.
    """
    now = timezone.now()
    due = due_steps(now=now, order_ids=order_ids)
    with (hands or Hands()).take(due.values_list("pk", flat=True)) as taken:
        # Read now: who had them in hand before may have ended them meanwhile.
        steps = load_steps(due.filter(pk__in=taken)) if taken else []
        return _advance(steps, gateway, now)


def _advance(steps: list[ExitStep], gateway: FanOut, now: datetime) -> Advanced:
    advanced = Advanced(steps=len(steps))
    if not steps:
        return advanced
    clear = clearing.clear_the_way(steps, gateway=gateway, now=now)
    advanced.refused_tokens.update(clear.refused_tokens)
    steps = clear.steps
    if not steps:
        return advanced
    since = timezone.now() - RECENTLY
    before = closers_in(accounts_of(steps), since=since)
    advanced.read_at = timezone.now()
    looked = look([step.account for step in steps], gateway=gateway, now=advanced.read_at)
    advanced.refused_tokens.update(looked.refused_tokens)
    advanced.readings = looked.readings
    advanced.beginnings, advanced.linked = looked.beginnings, looked.linked
    _wait_for_silent(steps, looked, now)
    steps = [step for step in steps if step.account_id in looked.seen]
    steps = clearing.cancel_foreign(steps, looked.seen, before, gateway=gateway, now=now)
    decided = _decide(steps, looked.seen, before)
    held = {account_id: seen.held for account_id, seen in looked.seen.items()}
    if decided:
        advanced.ready = write_outcomes(
            decided, held=held, before=before, since=since, now=timezone.now()
        )
    return advanced


def _wait_for_silent(steps: Sequence[ExitStep], looked: Looked, now: datetime) -> None:
    silent = [step for step in steps if step.account_id in looked.silent]
    # What was sent has to be proved, however long that takes.
    begun = [step for step in silent if step.state == ExitState.WAITING]
    late = [step for step in begun if step.opened_at + READ_WITHIN < now]
    # Nor does a step end because its app key serves more accounts than can be read in a minute.
    late = [step for step in late if step.account_id not in looked.put_off]
    words = {step.pk: looked.silent[step.account_id] for step in silent}
    give_up(late, {pk: UNREAD.format(said) for pk, said in words.items()}, now=now)
    postpone([step for step in silent if step not in late], words, until=now + SOON)


def _decide(
    steps: Sequence[ExitStep], seen: Mapping[UUID, Seen], before: Closers
) -> list[tuple[ExitStep, Outcome]]:
    if not steps:
        return []
    _plan_anew([step for step in steps if step.child_id is None])
    now, prices = timezone.now(), Prices()
    accounts = accounts_of(steps)
    since = min(seen[pk].asked_at for pk in accounts) - POSITIONS_BEHIND
    fresh = fresh_fills(accounts, since=since)
    closing = closing_by(before, fresh=fresh)
    closed, last = closed_by_exit(steps), _last_fills(steps)
    others = other_sets(
        [step for step in steps if _holds_more(step, seen[step.account_id], closed)]
    )
    decided = []
    for step in steps:
        if step.order is None:
            continue
        facts = Facts(
            step=step,
            order=step.order,
            holdings=Holdings(
                wanted=_wanted(step, closed),
                held=seen[step.account_id].held,
                closing=dict(closing[step.account_id]),
            ),
            others=others.get((step.placed_order_set_id, step.account_id), {}),
            broken=seen[step.account_id].broken,
            settling=[symbol for symbol in step.plan if (step.account_id, symbol) in fresh],
            last_fill=last.get((step.order_id, step.account_id)),
            now=now,
        )
        outcome = plan(facts, prices)
        if outcome.order is not None:  # what the next exit of this account must see
            for leg in outcome.order.legs:
                closing[step.account_id][leg.symbol] += outcome.order.units * leg.ratio
        decided.append((step, outcome))
    return decided


def _plan_anew(steps: Sequence[ExitStep]) -> None:
    """Let what steps are to close rest on what is filled now that their entries are over.

    Between the click and the end of an entry more of it may have been filled.
    """
    sets = {step.placed_order_set_id: step.placed_order_set for step in steps}
    known = read_sets(sets.values()) if sets else {}
    for step in steps:
        if step.order is not None:
            now = known[step.placed_order_set_id]
            step.plan = plan_of(now, step.account_id, step.order.percent)


_Closed = Mapping[tuple[int | None, UUID, str], int]


def _wanted(step: ExitStep, closed: _Closed) -> dict[str, int]:
    names = ((step.order_id, step.account_id, symbol) for symbol in step.plan)
    return wanted_of(step, {name[2]: closed.get(name, 0) for name in names})


def _holds_more(step: ExitStep, seen: Seen, closed: _Closed) -> bool:
    """Whether the account holds more of a leg than is to be closed: another set may explain it."""
    wanted = _wanted(step, closed)
    return any(abs(seen.held.get(symbol, 0)) > abs(left) for symbol, left in wanted.items())


def _last_fills(steps: Sequence[ExitStep]) -> Mapping[tuple[int | None, UUID], datetime]:
    rows = (
        LegFill.objects.filter(leg__child__order__in={step.order_id for step in steps})
        .order_by()
        .values_list("leg__child__order_id", "leg__child__account_id")
        .annotate(Max("at"))
    )
    return {(order_id, account_id): at for order_id, account_id, at in rows}
