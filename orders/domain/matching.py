"""Match orders seen at the broker with an account order of unknown outcome."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# The broker stamps it on what came through the interface; orders made by hand carry another.
OUR_TAG = "TA_"
# `enteredTime` has whole seconds, and so has the clock of an answer's Date header.
ENTERED_BEFORE_CLAIM = timedelta(seconds=5)
# A list is asked for with this much more on both sides, in case a clock is wrong.
CLOCKS_APART = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Seen:
    """An order in a list of the broker, as far as matching needs it."""

    order_id: str
    fingerprint: str
    tag: str
    entered_at: datetime | None


class Finding(StrEnum):
    """What one complete list says about the order looked for."""

    OURS = "OURS"
    ASK = "ASK"
    NOTHING = "NOTHING"


@dataclass(frozen=True, slots=True)
class Match:
    """A finding with the orders it rests on: the one of OURS, or those to ask the agent about."""

    finding: Finding
    orders: tuple[Seen, ...] = ()


def match(
    fingerprint: str,
    *,
    claimed_at: datetime,
    quiet: timedelta,
    listed: Iterable[Seen],
    taken: Collection[str],
) -> Match:
    """Find an order by what was sent, among those entered since it was claimed.

    One match with our tag is ours, if it was entered before the quiet period ended: after that the
    same trade may have been clicked again. A match by another hand never is, nor is one of ours
    entered at another time: either needs the agent, and so do several. Asked about are all of them.

    Args:
        claimed_at: by the broker's clock.
        taken: ids of orders that belong to an account order, or were ruled out for this one.
    """
    same = [one for one in listed if one.fingerprint == fingerprint and one.order_id not in taken]
    since, until = claimed_at - ENTERED_BEFORE_CLAIM, claimed_at + quiet
    tagged = [one for one in same if one.tag.startswith(OUR_TAG)]
    ours = [one for one in tagged if one.entered_at and since <= one.entered_at <= until]
    if len(ours) == 1:
        return Match(Finding.OURS, tuple(ours))
    fresh = [one for one in same if one.entered_at is None or one.entered_at >= since]
    doubtful = tuple(one for one in same if one in fresh or one in tagged)
    return Match(Finding.ASK, doubtful) if doubtful else Match(Finding.NOTHING)


def counts_as_absence(*, claimed_at: datetime, asked_at: datetime, quiet: timedelta) -> bool:
    """Whether a complete list that does not show an order was asked for late enough to count."""
    return asked_at >= claimed_at + quiet
