"""What follows for an account order from what an answer proves: the rules, without a database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from brokerage.schwab.answers import Proof, Verdict
from orders.domain.lifecycle import UNRESOLVED, Reason, Status

MAX_SENDS = 2
PAUSE_WITHOUT_HINT_S = 1.0
WAIT_FOR_TOKEN = timedelta(seconds=5)

RENEWING = "The broker refused the access token; it is being renewed."
LATER_THAN_ALLOWED = "The broker asked to wait longer than the order may wait."
TOO_LATE = "Not placed, and the answer came too late to send it again:"


@dataclass(frozen=True, slots=True)
class Next:
    """A step of an account order, and why.

    Args:
        out_of: where the order must stand for it; elsewhere nothing happens.
        not_before: when an order that is READY again is due; None means at once.
    """

    to: Status
    out_of: frozenset[Status]
    code: Reason | None = None
    words: str = ""
    not_before: datetime | None = None


def next_step(verdict: Verdict, *, sends: int, now: datetime, deadline_at: datetime) -> Next:
    """Return the step that an answer leads to while nobody gave the order up meanwhile.

    Only a proof that the broker has no order leads back to READY, and only in time.

    Args:
        sends: how often it was claimed, this time included.
    """
    may_repeat = sends < MAX_SENDS
    match verdict.proof:
        case Proof.ACCEPTED:
            return Next(Status.WORKING, UNRESOLVED)
        case Proof.UNKNOWN:
            return _next(Status.UNKNOWN, Reason.AMBIGUOUS_ANSWER, verdict.words)
        case Proof.NOT_SENT if may_repeat:
            return _next(Status.READY, Reason.NOT_SENT, verdict.words)
        case Proof.NOT_SENT:
            return _failed(Reason.NOT_SENT, verdict.words)
        case Proof.UNAUTHORIZED if may_repeat:
            return _next(Status.READY, Reason.TOKEN_REFUSED, RENEWING, now + WAIT_FOR_TOKEN)
        case Proof.THROTTLED:
            due = now + timedelta(seconds=verdict.retry_after or PAUSE_WITHOUT_HINT_S)
            if due >= deadline_at:
                return _failed(Reason.STALE_UNSENT, LATER_THAN_ALLOWED)
            return _next(Status.READY, Reason.THROTTLED, verdict.words, due)
        case _:
            return _failed(Reason.REFUSED, verdict.words)


def step_when_given_up(verdict: Verdict, planned: Next) -> Next | None:
    """Return the step of an order that became UNKNOWN before its answer came, if it is another.

    What was proved not placed is not sent again then: its time is over.
    """
    if planned.to != Status.READY:
        return None
    code = Reason.NOT_SENT if verdict.proof == Proof.NOT_SENT else Reason.REFUSED
    words = f"{TOO_LATE} {verdict.words}"
    return Next(Status.FAILED_TO_PLACE, frozenset({Status.UNKNOWN}), code, words)


def _next(to: Status, code: Reason, words: str, not_before: datetime | None = None) -> Next:
    return Next(to, frozenset({Status.SUBMITTING}), code, words, not_before)


def _failed(code: Reason, words: str) -> Next:
    return Next(Status.FAILED_TO_PLACE, UNRESOLVED, code, words)
