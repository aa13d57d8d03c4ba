"""Clear the way for exits: what stands against them, and orders that must be canceled first."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from accounts.domain.modes import strictest
from accounts.domain.words import ABLE
from accounts.selectors import groups_of
from accounts.selectors.modes import mode_rules
from accounts.services.asking import FanOut, authorizations
from accounts.services.audit import event, record
from brokerage.schwab import messages
from brokerage.schwab.exchange import Call
from orders.domain.allocation import blocks
from orders.domain.exits import ExitState
from orders.domain.lifecycle import UNRESOLVED, Purpose, Status
from orders.models import AccountOrder, ExitStep
from orders.services.canceling import ask_cancel, send_cancels
from orders.services.exits.looking import Seen
from orders.services.exits.planning import SOON
from orders.services.exits.situation import NOTHING_CLOSES, Closers, entry_orders
from orders.services.exits.writing import follow_child, give_up, postpone

log = logging.getLogger(__name__)

CANCEL_WITHIN = timedelta(seconds=60)
SWITCHED_OFF = "The account is switched off. Switch it on and try again."
CONNECT = "The login {} must be connected again. {}"
UNKNOWN_ENTRY = "Whether its entry is at the broker is not known yet; the exit waits for that."
REPLACED_ENTRY = "The broker replaced its entry; the exit waits until the new order is known."
CANCELING_ENTRY = "The rest of its entry is being canceled first."
CANCELING_FOREIGN = "Order {}, made elsewhere, closes the same; it is being canceled first."
STILL_FOREIGN = "Order {}, made elsewhere, closes the same and could not be canceled."
REPLACING = "Its order is being replaced."


@dataclass(slots=True)
class Clear:
    """The steps that nothing stands against now."""

    steps: list[ExitStep] = field(default_factory=list)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)


def clear_the_way(steps: Sequence[ExitStep], *, gateway: FanOut, now: datetime) -> Clear:
    """Return the steps that can be planned; the others wait, or are left to the agent."""
    clear = Clear()
    stopped = _stopped([step for step in steps if step.state == ExitState.WAITING])
    give_up([step for step in steps if step.pk in stopped], stopped, now=now)
    going = _not_replaced([step for step in steps if step.pk not in stopped], now)
    entries = entry_orders(going)
    working = [child for children in entries.values() for child in children]
    if working:
        ask_cancel(children=[child.pk for child in working], by="exit", now=now)
        sent = [child.pk for child in working if child.status == Status.WORKING]
        if sent:
            clear.refused_tokens.update(send_cancels(gateway=gateway, ids=sent).refused_tokens)
        entries = entry_orders(going)
    waiting = {step.pk: _why_wait(_entries_of(step, entries)) for step in going}
    postpone([step for step in going if waiting[step.pk]], _only_words(waiting), until=now + SOON)
    clear.steps = [step for step in going if not waiting[step.pk]]
    return clear


def cancel_foreign(
    steps: Sequence[ExitStep],
    seen: Mapping[UUID, Seen],
    closers: Closers,
    *,
    gateway: FanOut,
    now: datetime,
) -> list[ExitStep]:
    """Cancel orders of other hands that close the same legs; return the steps that have none.

    The broker would refuse ours while they work. Nothing is canceled in an account where an order
    of ours has no number yet: it could be that one.
    """
    found: dict[int, list[str]] = {}
    for step in steps:
        if step.state == ExitState.CLOSING or _has_nameless(closers, step):
            continue
        legs = set(step.plan)
        names = [
            name for name, symbols in seen[step.account_id].foreign.items() if legs & set(symbols)
        ]
        if names:
            found[step.pk] = names
    hit = [step for step in steps if step.pk in found]
    late = [step for step in hit if step.opened_at + CANCEL_WITHIN < now]
    give_up(late, {pk: STILL_FOREIGN.format(", ".join(n)) for pk, n in found.items()}, now=now)
    hit = [step for step in hit if step not in late]
    if hit:
        _send_foreign(hit, found, gateway, now)
        words = {pk: CANCELING_FOREIGN.format(", ".join(names)) for pk, names in found.items()}
        postpone(hit, words, until=now)
    return [step for step in steps if step.pk not in found]


def _stopped(steps: Sequence[ExitStep]) -> dict[int, str]:
    """Return why nothing can be sent in an account, where that is so."""
    rules = mode_rules()
    groups = groups_of([step.account_id for step in steps]) if rules else {}
    stopped: dict[int, str] = {}
    for step in steps:
        account, login = step.account, step.account.login
        rule = strictest(
            rules,
            account_id=str(account.pk),
            groups=groups.get(account.pk, frozenset()),
            underlying=step.placed_order_set.order.underlying,
        )
        if rule is not None and blocks(rule.mode, Purpose.CLOSE):
            stopped[step.pk] = rule.words
        elif not account.is_active:
            stopped[step.pk] = SWITCHED_OFF
        elif login.status not in ABLE:
            stopped[step.pk] = CONNECT.format(login.label, login.status_reason).rstrip()
    return stopped


def _not_replaced(steps: Sequence[ExitStep], now: datetime) -> list[ExitStep]:
    """Return the steps whose order stands; those whose order was replaced go on with the other."""
    kept, waiting = [], []
    for step in steps:
        if step.child is not None and step.child.successor_id is not None:
            follow_child(step, step.child.successor_id)
        elif step.child is not None and _is_being_replaced(step.child):
            waiting.append(step)
        else:
            kept.append(step)
    postpone(waiting, dict.fromkeys((step.pk for step in waiting), REPLACING), until=now + SOON)
    return kept


def _is_being_replaced(child: AccountOrder) -> bool:
    has_rest = child.status == Status.CANCELED and child.replace_limit is not None
    return child.status == Status.REPLACED or has_rest


def _entries_of(
    step: ExitStep, entries: Mapping[tuple[int, UUID], Sequence[AccountOrder]]
) -> Sequence[AccountOrder]:
    return entries.get((step.placed_order_set.order_id, step.account_id), [])


def _why_wait(entries: Sequence[AccountOrder]) -> str:
    statuses = {child.status for child in entries}
    if statuses & UNRESOLVED:
        return UNKNOWN_ENTRY
    if Status.REPLACED in statuses:
        return REPLACED_ENTRY
    return CANCELING_ENTRY if statuses else ""


def _only_words(waiting: Mapping[int, str]) -> dict[int, str]:
    return {pk: words for pk, words in waiting.items() if words}


def _has_nameless(closers: Closers, step: ExitStep) -> bool:
    closing = closers.get(step.account_id, NOTHING_CLOSES)
    return any(leg.status in {*UNRESOLVED, Status.REPLACED} for leg in closing.legs)


def _send_foreign(
    steps: Sequence[ExitStep],
    found: Mapping[int, Sequence[str]],
    gateway: FanOut,
    now: datetime,
) -> None:
    """Ask the broker to cancel them; whether it did, the next look shows."""
    headers = authorizations({s.account.login_id: s.account.login.token.access for s in steps})
    able = [step for step in steps if step.account.login_id in headers]
    asked = [(step, name) for step in able for name in found[step.pk]]
    canceled = [
        event(step, "cancel", at=now, new=name, reason=CANCELING_FOREIGN.format(name), actor="exit")
        for step, name in asked
    ]
    record(canceled, is_quiet=True)
    calls = [
        Call(messages.cancel_order(step.account.hash_value, name), headers[step.account.login_id])
        for step, name in asked
    ]
    for batch in gateway.stream(calls):
        for index, exchange in batch:
            status = exchange.reply.status if exchange.reply else None
            log.info("exit: cancel of order %s made elsewhere: %s", asked[index][1], status)
