"""Where the milliseconds of a broadcast went, counted from the click."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Moments:
    """When one account's order was claimed, sent and answered; None if it never was."""

    claimed_at: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bar:
    """The same in milliseconds since the click, rising; `answered` is None without an answer."""

    claimed: float
    sent: float
    answered: float | None

    @property
    def end(self) -> float:
        return self.sent if self.answered is None else self.answered


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of a broadcast, in milliseconds since the click."""

    name: str
    words: str
    start: float
    end: float

    @property
    def ms(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Timings:
    """How long a broadcast took; `bars` in the order in which its requests went out.

    Args:
        first_fill: milliseconds from the click to the first fill, by the broker's clock.
    """

    bars: Sequence[Bar]
    spans: Sequence[Span]
    first_fill: float | None

    @property
    def all_sent(self) -> float:
        """When the last request was out."""
        return max((bar.sent for bar in self.bars), default=0.0)

    @property
    def all_answered(self) -> float:
        """When the last answer was in; of those without one, when they were sent."""
        return max((bar.end for bar in self.bars), default=0.0)

    @property
    def unanswered(self) -> int:
        return sum(bar.answered is None for bar in self.bars)


# What begins where the one before it ends. The name is the class of its bar, too.
_STRETCHES = (
    ("form", "form, guards, rows"),
    ("queue", "commit, queue"),
    ("claim", "claim, build"),
    ("send", "send"),
    ("answers", "answers"),
)


def time_broadcast(
    *,
    clicked_at: datetime,
    created_at: datetime,
    moments: Iterable[Moments],
    first_fill_at: datetime | None = None,
) -> Timings:
    """Work out where the time went; what was never sent takes no part.

    Clocks of two hosts may differ by some milliseconds: a stretch never lasts less than nothing.
    """
    sent = [one for one in moments if one.sent_at is not None]
    bars = sorted((_bar(one, clicked_at) for one in sent), key=lambda bar: (bar.sent, bar.end))
    fill = None if first_fill_at is None else max(_ms(clicked_at, first_fill_at), 0.0)
    return Timings(bars, _spans(bars, max(_ms(clicked_at, created_at), 0.0)), fill)


def _spans(bars: Sequence[Bar], created: float) -> list[Span]:
    if not bars:
        return []
    marks = [
        0.0,
        created,
        min(bar.claimed for bar in bars),
        min(bar.sent for bar in bars),
        max(bar.sent for bar in bars),
        max(bar.end for bar in bars),
    ]
    rising = [max(marks[: place + 1]) for place in range(len(marks))]
    return [
        Span(name, words, start, end)
        for (name, words), (start, end) in zip(_STRETCHES, pairwise(rising), strict=True)
    ]


def _bar(one: Moments, clicked_at: datetime) -> Bar:
    sent = max(_ms(clicked_at, one.sent_at), 0.0) if one.sent_at else 0.0
    claimed = _ms(clicked_at, one.claimed_at) if one.claimed_at else sent
    answered = _ms(clicked_at, one.answered_at) if one.answered_at else None
    return Bar(
        claimed=min(max(claimed, 0.0), sent),
        sent=sent,
        answered=None if answered is None else max(answered, sent),
    )


def _ms(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() * 1000
