"""When a login is renewed, and when an attempt of the browser is allowed."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from strategies.domain.new_york import EASTERN

OPENS, CLOSES = time(9, 0), time(16, 30)
SATURDAY = 5

# A renewal is wanted between these two before the end of the refresh token.
EARLIEST, LATEST = timedelta(hours=84), timedelta(hours=24)
STEP = timedelta(minutes=30)
AGAIN_AFTER = timedelta(hours=6)
MOST_A_DAY = 2
RED = timedelta(hours=24)
AMBER = timedelta(hours=48)


def renewal_time(ends_at: datetime, *, spread: float) -> datetime:
    """Return when to renew what ends then: on a weekend if one is near, else outside trading hours.

    Args:
        ends_at: when the refresh token dies.
        spread: from 0 to 1, a login's own place in the window, so that not all come at once.

    Returns:
        At least 24 hours before the end. The hours are the usual ones of New York; whoever
        renews looks at the broker's calendar, too.
    """
    count = int((EARLIEST - LATEST) / STEP)
    times = [ends_at - EARLIEST + STEP * place for place in range(count)]
    quiet = [at for at in times if not is_trading_time(at)]
    weekend = [at for at in quiet if at.astimezone(EASTERN).weekday() >= SATURDAY]
    chosen = weekend or quiet
    return chosen[min(int(spread * len(chosen)), len(chosen) - 1)]


def is_trading_time(at: datetime) -> bool:
    """Whether the exchanges usually trade then, with half an hour on either side."""
    local = at.astimezone(EASTERN)
    return local.weekday() < SATURDAY and OPENS <= local.time() < CLOSES


def next_attempt(began: Sequence[datetime], *, now: datetime) -> datetime:
    """Return from when on the browser may try again: once in six hours, twice a day.

    Args:
        began: when attempts of the last day began, in any order.
    """
    recent = sorted(at for at in began if at > now - timedelta(days=1))
    if not recent:
        return now
    allowed = recent[-1] + AGAIN_AFTER
    if len(recent) >= MOST_A_DAY:
        allowed = max(allowed, recent[-MOST_A_DAY] + timedelta(days=1))
    return max(allowed, now)
