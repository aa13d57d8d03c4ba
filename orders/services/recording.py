"""Record what the answers of a broadcast prove, all of a batch in one transaction."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from brokerage.schwab.answers import Proof, Verdict
from orders.domain.lifecycle import UNRESOLVED, Reason, Status
from orders.models import AccountOrder
from orders.services.claiming import Claimed
from orders.services.parents import note_sending, refresh_parents
from orders.services.patience import patiently
from orders.services.steps import Step, take_steps

log = logging.getLogger(__name__)

MAX_SENDS = 2
TOO_LATE = "Not placed, and the answer came too late to send it again:"
PAUSE_WITHOUT_HINT_S = 1.0
WAIT_FOR_TOKEN = timedelta(seconds=5)


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

    Source: docs/architecture.md, "What a broker's answer proves".
    """
    outcome = Outcome()
    with transaction.atomic():
        for proof, group in _sort(answers).items():
            outcome.counts[proof] = len(group)
            _RECORDERS[proof](group, outcome, now)
        _note_sent(answers)
        refresh_parents({answer.claimed.order_id for answer in answers})
    return outcome


def _note_sent(answers: Sequence[Answer]) -> None:
    """Keep when the first and the last request of each broadcast went out."""
    by_order: dict[int, list[datetime]] = {}
    for answer in answers:
        if answer.sent_at is not None:
            by_order.setdefault(answer.claimed.order_id, []).append(answer.sent_at)
    for order_id, moments in sorted(by_order.items()):
        note_sending(order_id, first=min(moments), last=max(moments))


def _sort(answers: Sequence[Answer]) -> dict[Proof, list[Answer]]:
    """Group by proof; an accepted order that another of ours owns is of unknown outcome."""
    owned = _owned(answers)
    groups: dict[Proof, list[Answer]] = {}
    for answer in answers:
        proof = answer.verdict.proof
        if proof == Proof.ACCEPTED:
            name = (answer.claimed.account_id, answer.verdict.order_id)
            if name in owned:
                answer, proof = _disown(answer), Proof.UNKNOWN
            owned.add(name)
        groups.setdefault(proof, []).append(answer)
    return groups


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
    verdict = Verdict(Proof.UNKNOWN, None, "WRONG_LOCATION", words)
    return Answer(answer.claimed, verdict, answer.sent_at, answer.answered_at)


def _accepted(group: Sequence[Answer], outcome: Outcome, now: datetime) -> None:
    _settle(
        group,
        Status.WORKING,
        now,
        lambda a: {"broker_order_id": a.verdict.order_id, "reason_code": "", "reason": ""},
    )


def _refused(group: Sequence[Answer], outcome: Outcome, now: datetime) -> None:
    _settle(group, Status.FAILED_TO_PLACE, now, lambda a: _why(Reason.REFUSED, a.verdict.words))


def _unknown(group: Sequence[Answer], outcome: Outcome, now: datetime) -> None:
    steps = [
        _step(a, Status.UNKNOWN, _why(Reason.AMBIGUOUS_ANSWER, a.verdict.words)) for a in group
    ]
    take_steps(steps, out_of=[Status.SUBMITTING], now=now, actor="placement")


def _not_sent(group: Sequence[Answer], outcome: Outcome, now: datetime) -> None:
    """Nothing was written: once more at once, then it has failed."""
    once_more = [a for a in group if a.claimed.sends < MAX_SENDS]
    failed = [a for a in group if a.claimed.sends >= MAX_SENDS]
    put_back = _put_back(
        once_more, Reason.NOT_SENT, now, lambda a: _why(Reason.NOT_SENT, a.verdict.words)
    )
    outcome.again.extend(put_back)
    _settle(failed, Status.FAILED_TO_PLACE, now, lambda a: _why(Reason.NOT_SENT, a.verdict.words))


def _unauthorized(group: Sequence[Answer], outcome: Outcome, now: datetime) -> None:
    """Wait for a fresh token and send once more; a second refusal stands."""
    waiting = [a for a in group if a.claimed.sends < MAX_SENDS]
    failed = [a for a in group if a.claimed.sends >= MAX_SENDS]
    words = "The broker refused the access token; it is being renewed."
    values = {**_why(Reason.TOKEN_REFUSED, words), "not_before": now + WAIT_FOR_TOKEN}
    put_back = _put_back(waiting, Reason.REFUSED, now, lambda _: values)
    for answer in waiting:
        if answer.claimed.child_id in put_back:
            children = outcome.refused_logins.setdefault(answer.claimed.login_id, [])
            children.append(answer.claimed.child_id)
    _settle(failed, Status.FAILED_TO_PLACE, now, lambda a: _why(Reason.REFUSED, a.verdict.words))


def _throttled(group: Sequence[Answer], outcome: Outcome, now: datetime) -> None:
    """Too many requests: due again after the pause, if that is before the deadline."""
    in_time = [a for a in group if _due_again(a, now) < a.claimed.deadline_at]
    too_late = [a for a in group if _due_again(a, now) >= a.claimed.deadline_at]
    _put_back(
        in_time,
        Reason.REFUSED,
        now,
        lambda a: {
            **_why(Reason.THROTTLED, a.verdict.words),
            "not_before": _due_again(a, now),
        },
    )
    words = "The broker asked to wait longer than the order may wait."
    _settle(too_late, Status.FAILED_TO_PLACE, now, lambda _: _why(Reason.STALE_UNSENT, words))


def _due_again(answer: Answer, now: datetime) -> datetime:
    return now + timedelta(seconds=answer.verdict.retry_after or PAUSE_WITHOUT_HINT_S)


_RECORDERS: dict[Proof, Callable[[Sequence[Answer], Outcome, datetime], None]] = {
    Proof.ACCEPTED: _accepted,
    Proof.REFUSED: _refused,
    Proof.UNAUTHORIZED: _unauthorized,
    Proof.THROTTLED: _throttled,
    Proof.NOT_SENT: _not_sent,
    Proof.UNKNOWN: _unknown,
}

_Values = Callable[[Answer], dict[str, Any]]


def _settle(group: Sequence[Answer], to: Status, now: datetime, values: _Values) -> None:
    steps = [_step(answer, to, values(answer)) for answer in group]
    take_steps(steps, out_of=UNRESOLVED, now=now, actor="placement")


def _put_back(group: Sequence[Answer], proved: Reason, now: datetime, values: _Values) -> set[UUID]:
    """Make orders READY again that were proved not placed; one already UNKNOWN has failed.

    Args:
        proved: why the broker has no such order, for those that are not sent again.
    """
    steps = [_step(answer, Status.READY, values(answer)) for answer in group]
    moved = take_steps(steps, out_of=[Status.SUBMITTING], now=now, actor="placement")
    late = [answer for answer in group if answer.claimed.child_id not in moved]
    failed = [
        _step(a, Status.FAILED_TO_PLACE, _why(proved, f"{TOO_LATE} {a.verdict.words}"))
        for a in late
    ]
    if failed:
        take_steps(failed, out_of=[Status.UNKNOWN], now=now, actor="placement")
    return moved


def _step(answer: Answer, to: Status, values: dict[str, Any]) -> Step:
    data = {"proof": answer.verdict.proof, "code": answer.verdict.code}
    times = {"sent_at": answer.sent_at, "answered_at": answer.answered_at}
    return Step(answer.claimed.child_id, to, {**times, **values}, data)


def _why(code: Reason, words: str) -> dict[str, Any]:
    return {"reason_code": code, "reason": words[:300]}
