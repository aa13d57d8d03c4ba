"""The lanes of the budget, the most urgent first, and the numbers that bound them."""

from dataclasses import dataclass
from enum import IntEnum

WINDOW_S = 60
# Calls are counted in slots of this length, and a slot is forgotten as a whole: never too early.
SLOT_S = 2


class Lane(IntEnum):
    """What a read is for; a lower number comes first.

    TOKENS are counted and never refused: without a token nothing of that key can be read at all.
    """

    TOKENS = 0
    UNKNOWN = 1
    EXITS = 2
    CHANGES = 3
    POLLS = 4
    BALANCES = 5
    QUOTES = 6


MAY_SPEND_RESERVE = (Lane.TOKENS, Lane.UNKNOWN, Lane.EXITS)
PACED = (Lane.POLLS, Lane.BALANCES)
# What a 429 can stop.
LOW = (Lane.CHANGES, Lane.POLLS, Lane.BALANCES, Lane.QUOTES)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one key may do in a minute.

    The beats' lanes are paced, so that they do not spend a minute's calls in its first seconds:
    each gains tokens all the time, keeps at most what one of its beats can use, and passes on to
    the other what it cannot keep.

    Args:
        limit: calls in any 60 seconds, all lanes together.
        reserve: of these, for MAY_SPEND_RESERVE alone.
        parts: among how many processes the rest is divided, if they cannot see each other.
    """

    limit: int
    reserve: int
    parts: int = 1

    @property
    def shared(self) -> int:
        """Calls in any 60 seconds for the lanes that must leave the reserve alone."""
        return max((self.limit - self.reserve) // self.parts, 2)

    @property
    def pace(self) -> float:
        """Tokens per second of the paced lanes together: a little less than there is to spend."""
        return self.shared * 0.84 / WINDOW_S

    @property
    def paces(self) -> tuple[float, float]:
        """Tokens per second of POLLS and of BALANCES."""
        return self.pace * 0.75, self.pace * 0.25

    @property
    def purses(self) -> tuple[float, float]:
        """Return how many tokens POLLS and BALANCES can keep: what a beat of theirs may use."""
        return max(self.pace * 5 + 1, 2.0), max(self.pace * 15, 2.0)

    @property
    def most_quotes(self) -> int:
        """Calls in any 60 seconds for quotes: the polls must find something when they begin."""
        return max(self.shared // 2, 1)
