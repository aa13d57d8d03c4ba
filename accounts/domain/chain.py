"""The hash chain over the record: what of an event is covered, and how links hang together."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# What is covered, in this order; whoever adds a column begins a new version of the chain.
COLUMNS = (
    "id",
    "at",
    "subject",
    "kind",
    "old",
    "new",
    "reason",
    "actor",
    "request_id",
    "address",
    "session",
    "data",
)
BEGINNING = "0" * 64

Digest = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Link:
    """One seal with the event it covers, as both are read; `event` is None where it is gone."""

    number: int
    event_id: int
    digest: str
    event: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Break:
    """The first link that does not hold."""

    number: int
    event_id: int
    words: str


def canonical(event: Mapping[str, Any]) -> str:
    """Write an event in the one way that is hashed."""
    return json.dumps([_plain(event[name]) for name in COLUMNS], ensure_ascii=True, sort_keys=True)


def link_digest(previous: str, event: Mapping[str, Any], digest: Digest) -> str:
    """Return the digest of an event's link.

    Args:
        previous: the digest of the link before it; BEGINNING for the first.
        digest: a keyed one.
    """
    return digest(f"{previous}|{canonical(event)}")


def find_break(links: Iterable[Link], digest: Digest) -> tuple[Break | None, Sequence[str | int]]:
    """Walk the chain from its beginning; return where it breaks, and what was walked.

    Returns:
        The break or None, and the number of links that hold with the digest of the last one.
    """
    previous, walked = BEGINNING, 0
    for expected, link in enumerate(links, 1):
        if link.number != expected:
            return Break(expected, link.event_id, "A link is missing here."), (walked, previous)
        if link.event is None:
            return Break(expected, link.event_id, "Its event is gone."), (walked, previous)
        if link_digest(previous, link.event, digest) != link.digest:
            words = "Its event or its link was changed."
            return Break(expected, link.event_id, words), (walked, previous)
        previous, walked = link.digest, expected
    return None, (walked, previous)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
