"""Record what the answers of a broadcast prove, all of a batch in one transaction."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from brokerage.schwab.answers import Proof, Verdict
from orders.domain.answering import Next, next_step, step_when_given_up
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from orders.services.claiming import Claimed
from orders.services.parents import note_sending, refresh_parents
from orders.services.patience import patiently
from orders.services.resurrecting import resurrect
from orders.services.steps import Step, take_steps

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one claimed order's request."""

    claimed: Claimed
    verdict: Verdict
    sent_at: datetime | None
    answered_at: datetime | None


@dataclass(slots=True)
class Outcome:
    """What became of one claim.

    Args:
        counts: orders by proof.
        again: orders that are READY again and due at once.
        refused_logins: logins whose access token was refused, with the orders that wait for the
            next one.
        token_versions: which version of each login's token was sent.
    """

    counts: dict[str, int] = field(default_factory=dict)
    again: list[UUID] = field(default_factory=list)
    refused_logins: dict[UUID, list[UUID]] = field(default_factory=dict)
    token_versions: dict[UUID, int] = field(default_factory=dict)

    def add(self, other: "Outcome") -> None:
        """Take in what became of some more answers."""
        for proof, count in other.counts.items():
            self.counts[proof] = self.counts.get(proof, 0) + count
        self.again += other.again
        for login_id, children in other.refused_logins.items():
            self.refused_logins.setdefault(login_id, []).extend(children)
        self.token_versions |= other.token_versions


def record_batch(answers: Sequence[Answer], *, now: Callable[[], datetime]) -> Outcome:
    """Record a batch although the database is busy, or one answer of it cannot be written."""
    try:
        return patiently(lambda: record_answers(answers, now=now()))
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        return _record_one_by_one(answers, now)


def _record_one_by_one(answers: Sequence[Answer], now: Callable[[], datetime]) -> Outcome:
    """Record each answer by itself, so that one that cannot be written costs no other.

    Most often a broker order got its owner at this very moment: seen again, it is not adopted.
    """
    outcome = Outcome()
    for answer in answers:
        try:
            outcome.add(record_answers([answer], now=now()))
        except DatabaseError:
            log.exception("answer of account order %s not recorded", answer.claimed.child_id)
    return outcome


def record_answers(answers: Sequence[Answer], *, now: datetime) -> Outcome:
    """Write down a batch of verdicts; return what must be rung for.

    Source: docs/what-an-answer-proves.md.
    """
    outcome = Outcome()
    with transaction.atomic():
        planned = [(answer, _plan(answer, now)) for answer in _disown_strangers(answers)]
        for answer, _ in planned:
            proof = answer.verdict.proof
            outcome.counts[proof] = outcome.counts.get(proof, 0) + 1
        moved = _take(planned, now)
        late = [pair for pair in planned if pair[0].claimed.child_id not in moved]
        _take_late(late, now)
        _note_due(planned, moved, outcome)
        _note_sent(answers)
        refresh_parents({answer.claimed.order_id for answer in answers})
    return outcome


_Planned = Sequence[tuple[Answer, Next]]


def _plan(answer: Answer, now: datetime) -> Next:
    claimed = answer.claimed
    return next_step(answer.verdict, sends=claimed.sends, now=now, deadline_at=claimed.deadline_at)


def _take(planned: _Planned, now: datetime) -> set[UUID]:
    """Take the steps, those out of the same statuses together; return who moved."""
    moved: set[UUID] = set()
    for out_of in {step.out_of for _, step in planned}:
        steps = [_step(*pair) for pair in planned if pair[1].out_of == out_of]
        moved |= take_steps(steps, out_of=out_of, now=now, actor="placement")
    return moved


def _take_late(late: _Planned, now: datetime) -> None:
    """Let answers count whose orders were given up meanwhile."""
    instead = [(a, step_when_given_up(a.verdict, planned)) for a, planned in late]
    _take([(answer, step) for answer, step in instead if step is not None], now)
    accepted = [answer for answer, _ in late if answer.verdict.proof == Proof.ACCEPTED]
    if accepted:
        found = {a.claimed.child_id: a.verdict.order_id or "" for a in accepted}
        resurrect(found, now=now, actor="placement")


def _note_due(planned: _Planned, moved: Collection[UUID], outcome: Outcome) -> None:
    """Note which orders are to be rung for at once, and which wait for a token."""
    for answer, step in planned:
        claimed = answer.claimed
        if step.to != Status.READY or claimed.child_id not in moved:
            continue
        if answer.verdict.proof == Proof.NOT_SENT:
            outcome.again.append(claimed.child_id)
        elif answer.verdict.proof == Proof.UNAUTHORIZED:
            outcome.refused_logins.setdefault(claimed.login_id, []).append(claimed.child_id)


def _note_sent(answers: Sequence[Answer]) -> None:
    """Keep when the first and the last request of each broadcast went out."""
    by_order: dict[int, list[datetime]] = {}
    for answer in answers:
        if answer.sent_at is not None:
            by_order.setdefault(answer.claimed.order_id, []).append(answer.sent_at)
    for order_id, moments in sorted(by_order.items()):
        note_sending(order_id, first=min(moments), last=max(moments))


def _disown_strangers(answers: Sequence[Answer]) -> list[Answer]:
    """Return the answers; an accepted order that another of ours owns is of unknown outcome."""
    owned = _owned(answers)
    checked: list[Answer] = []
    for answer in answers:
        name = (answer.claimed.account_id, answer.verdict.order_id)
        is_accepted = answer.verdict.proof == Proof.ACCEPTED
        checked.append(_disown(answer) if is_accepted and name in owned else answer)
        owned.add(name)
    return checked


def _owned(answers: Sequence[Answer]) -> set[tuple[UUID, str | None]]:
    """Return which of the named broker orders belong to an account order already."""
    accepted = [answer for answer in answers if answer.verdict.order_id]
    rows = AccountOrder.objects.filter(
        account_id__in={answer.claimed.account_id for answer in accepted},
        broker_order_id__in={answer.verdict.order_id for answer in accepted},
    )
    return set(rows.values_list("account_id", "broker_order_id"))


def _disown(answer: Answer) -> Answer:
    words = f"The broker named order {answer.verdict.order_id}, which is another one of ours."
    return replace(answer, verdict=Verdict(Proof.UNKNOWN, None, "WRONG_LOCATION", words))


def _step(answer: Answer, following: Next) -> Step:
    values: dict[str, object] = {
        "sent_at": answer.sent_at,
        "answered_at": answer.answered_at,
        "reason_code": following.code or "",
        "reason": following.words[:300],
    }
    if following.to == Status.WORKING:
        values["broker_order_id"] = answer.verdict.order_id
    if following.to == Status.READY and following.not_before is not None:
        values["not_before"] = following.not_before
    data: Mapping[str, str] = {"proof": answer.verdict.proof, "code": answer.verdict.code}
    return Step(answer.claimed.child_id, following.to, values, data)
