"""One key's budget in memory: what the script does in Redis, and the word on how it works."""

from collections import defaultdict
from dataclasses import dataclass, field

from brokerage.budget.lanes import (
    LOW,
    MAY_SPEND_RESERVE,
    PACED,
    SLOT_S,
    WINDOW_S,
    Lane,
    Terms,
)


@dataclass(slots=True)
class Bucket:
    """Calls of the last minute, tokens of the paced lanes, and lanes that a 429 stopped.

    A token that was spent comes back a minute later, so that no 60 seconds ever see more than the
    limit.

    Args:
        spent: calls by the start of their slot and lane.
        stops: until when a lane must not be used.
    """

    spent: dict[tuple[int, Lane], int] = field(default_factory=lambda: defaultdict(int))
    tokens: dict[Lane, float] = field(default_factory=dict)
    gained_at: float | None = None
    stops: dict[Lane, float] = field(default_factory=dict)

    def take(self, lane: Lane, wanted: int, *, now: float, terms: Terms) -> int:
        """Spend as many of the calls wanted as may be; return how many."""
        self._forget(now)
        self._gain(now, terms)
        granted = max(min(wanted, self._room(lane, now, terms)), 0)
        if lane is Lane.TOKENS:
            granted = wanted
        if granted:
            self.spent[now_slot(now), lane] += granted
            if lane in PACED:
                self.tokens[lane] -= granted
        return granted

    def stop(self, lane: Lane, pause_s: float, *, now: float) -> None:
        """Take note of a 429: see `stopped_with`."""
        for one in stopped_with(lane):
            self.stops[one] = max(self.stops.get(one, 0.0), now + pause_s)

    def used(self, lane: Lane | None = None) -> int:
        """Return the calls of the last minute, of one lane or of all."""
        return sum(count for (_, one), count in self.spent.items() if lane in (None, one))

    def _room(self, lane: Lane, now: float, terms: Terms) -> int:
        if self.stops.get(lane, 0.0) > now:
            return 0
        used = self.used()
        if lane in MAY_SPEND_RESERVE:
            return terms.limit - used
        room = terms.shared - used
        if lane in PACED:
            return min(room, int(self.tokens[lane]))
        if lane is Lane.QUOTES:
            return min(room, terms.most_quotes - self.used(lane))
        return room

    def _forget(self, now: float) -> None:
        oldest = now - WINDOW_S - SLOT_S
        for key in [key for key in self.spent if key[0] <= oldest]:
            del self.spent[key]

    def _gain(self, now: float, terms: Terms) -> None:
        since = now if self.gained_at is None else self.gained_at
        self.gained_at = now
        over = 0.0
        for lane, pace, purse in zip(PACED, terms.paces, terms.purses, strict=True):
            tokens = self.tokens.get(lane, purse) + max(now - since, 0.0) * pace
            over += max(tokens - purse, 0.0)
            self.tokens[lane] = min(tokens, purse)
        for lane, purse in zip(PACED, terms.purses, strict=True):
            given = min(over, purse - self.tokens[lane])
            self.tokens[lane] += given
            over -= given


def now_slot(now: float) -> int:
    """Return the start of the slot of a moment."""
    return int(now // SLOT_S) * SLOT_S


def stopped_with(lane: Lane) -> list[Lane]:
    """Return which lanes a 429 in a lane stops: never those that must prove something.

    They have a rhythm of their own, and what stops below them makes room.
    """
    return [one for one in LOW if one >= lane]
