"""The life of an account order: its statuses, the legal steps, and what they make of the parent."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where an account order stands (docs/architecture.md has the table in words)."""

    READY = "READY"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    REPLACED = "REPLACED"
    FAILED_TO_PLACE = "FAILED_TO_PLACE"
    SKIPPED = "SKIPPED"


class Reason(StrEnum):
    """Why an account order is where it is; the words beside it are for people."""

    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"
    STALE_UNSENT = "STALE_UNSENT"
    PROVED_ABSENT = "PROVED_ABSENT"
    RESURRECTED = "RESURRECTED"
    WRONG_LOCATION = "WRONG_LOCATION"
    RULED_OUT = "RULED_OUT"
    LOGIN_REQUIRED = "LOGIN_REQUIRED"
    LEASE_OVER = "LEASE_OVER"
    AMBIGUOUS_ANSWER = "AMBIGUOUS_ANSWER"
    THROTTLED = "THROTTLED"
    TOKEN_REFUSED = "TOKEN_REFUSED"
    INACTIVE = "INACTIVE"
    FROZEN = "FROZEN"
    CLOSE_ONLY = "CLOSE_ONLY"
    SIZED_TO_ZERO = "SIZED_TO_ZERO"
    MAX_CONTRACTS = "MAX_CONTRACTS"
    CANCELED_UNSENT = "CANCELED_UNSENT"


class Purpose(StrEnum):
    OPEN = "OPEN"
    CLOSE = "CLOSE"


class ParentStatus(StrEnum):
    READY = "READY"
    SENDING = "SENDING"
    WORKING = "WORKING"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CLOSED_OUT = "CLOSED_OUT"
    NEEDS_AGENT = "NEEDS_AGENT"


BROKER_TERMINAL = frozenset(
    {Status.FILLED, Status.CANCELED, Status.REJECTED, Status.EXPIRED, Status.REPLACED}
)
TERMINAL = BROKER_TERMINAL | {Status.FAILED_TO_PLACE, Status.SKIPPED}
# To be asked for by name: what is not terminal is not found by an index.
LIVE = frozenset(Status) - TERMINAL
UNRESOLVED = frozenset({Status.SUBMITTING, Status.UNKNOWN})

# Late truth may win: an UNKNOWN is settled by a late answer, and an order that was proved absent
# returns when the broker shows it after all. Nothing else leaves a terminal status. WORKING becomes
# UNKNOWN when the first read shows that the number the broker gave is not this order's.
STEPS: dict[Status, frozenset[Status]] = {
    Status.READY: frozenset({Status.SUBMITTING, Status.FAILED_TO_PLACE, Status.SKIPPED}),
    Status.SUBMITTING: frozenset(
        {Status.READY, Status.UNKNOWN, Status.WORKING, Status.FAILED_TO_PLACE}
    ),
    Status.UNKNOWN: frozenset({Status.WORKING, Status.FAILED_TO_PLACE}),
    Status.WORKING: BROKER_TERMINAL | {Status.UNKNOWN},
    Status.FAILED_TO_PLACE: frozenset({Status.WORKING}),
    **{status: frozenset() for status in BROKER_TERMINAL | {Status.SKIPPED}},
}


class IllegalStep(Exception):
    """Code asked for a step that the life of an order does not have."""


def check_step(old: Status, new: Status) -> None:
    """Raise IllegalStep unless an account order may go from `old` to `new`."""
    if new not in STEPS[old]:
        raise IllegalStep(f"{old} → {new} is not a step of an account order.")


@dataclass(frozen=True, slots=True)
class ChildState:
    """What the parent's status needs to know of one child's latest attempt."""

    status: Status
    has_fills: bool = False
    needs_agent: bool = False


def parent_status(children: Iterable[ChildState]) -> ParentStatus:
    """Sum up the latest attempts of all accounts; skipped accounts do not count.

    PARTIAL: something is filled, but not everything, whether or not the rest still works.
    """
    states = [child for child in children if child.status != Status.SKIPPED]
    statuses = {child.status for child in states}
    if Status.UNKNOWN in statuses or any(child.needs_agent for child in states):
        return ParentStatus.NEEDS_AGENT
    if statuses & {Status.READY, Status.SUBMITTING}:
        return ParentStatus.READY if statuses == {Status.READY} else ParentStatus.SENDING
    if statuses == {Status.FILLED}:
        return ParentStatus.FILLED
    if any(child.status == Status.FILLED or child.has_fills for child in states):
        return ParentStatus.PARTIAL
    return ParentStatus.WORKING if Status.WORKING in statuses else ParentStatus.CLOSED_OUT


_BROKER_WORDS = {status.value: status for status in BROKER_TERMINAL}


def status_of_broker(word: str, *, fills_listed: bool) -> Status:
    """Return our status for a Schwab status; every word we do not know is a live order.

    An end counts only when all that is filled is listed leg by leg: what is listed after it would
    never be read.
    """
    return _BROKER_WORDS.get(word, Status.WORKING) if fills_listed else Status.WORKING


def any_of(statuses: Collection[StrEnum]) -> list[str]:
    """Return words of an enumeration as a sorted list of plain text, for queries."""
    return sorted(status.value for status in statuses)
