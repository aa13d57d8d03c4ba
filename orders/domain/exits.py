"""The words of an exit: how far an account's way out of a set has come, and how it is priced."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from orders.domain.ladders import Ladder


class ExitState(StrEnum):
    """Where an account's exit step stands.

    WAITING: something must end or be known before a plan can be made. CLOSING: a closing order is
    out. PROVING: positions are read until they are gone. RESIDUAL: something is left, and only the
    agent can decide what to do about it. DONE: nothing of it is left, or the agent handled it.
    """

    WAITING = "WAITING"
    CLOSING = "CLOSING"
    PROVING = "PROVING"
    RESIDUAL = "RESIDUAL"
    DONE = "DONE"


class Pricing(StrEnum):
    """How a closing order is priced: at a limit the agent gave, or at what the market says."""

    LIMIT = "LIMIT"
    MID = "MID"
    NATURAL = "NATURAL"
    MARKET = "MARKET"


MOST_PERCENT = 100
AT_WORK = frozenset({ExitState.WAITING, ExitState.CLOSING, ExitState.PROVING})


@dataclass(frozen=True, slots=True)
class ExitTerms:
    """What the agent asks for when he exits a placed order set.

    Args:
        limit: USD per unit, positive; only with LIMIT.
        percent: how much of what was filled is to be closed, 1 to 100.
        accounts: only these; None for all accounts of the set.
        confirm: codes of guards whose objections he overrides.
        ladder: how the limit is to move from there; None leaves it where it is.
    """

    pricing: Pricing
    limit: Decimal | None = None
    percent: int = 100
    accounts: tuple[UUID, ...] | None = None
    confirm: frozenset[str] = frozenset()
    ladder: Ladder | None = None


def part_of(bookmarked: int, left: int, percent: int) -> int:
    """Return the part to be closed of one leg: rounded down, at least one, no more than is left."""
    if bookmarked * left <= 0:
        return 0
    size = min(max(abs(bookmarked) * percent // MOST_PERCENT, 1), abs(left))
    return size if bookmarked > 0 else -size
