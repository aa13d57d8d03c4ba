"""The stretches of time of which a history keeps the last value."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.domain.words import Grain

EASTERN = ZoneInfo("America/New_York")
MINUTES = {Grain.MINUTE: 1, Grain.QUARTER: 15}


def start_of(grain: Grain, at: datetime) -> datetime:
    """Return when the stretch began in which a moment lies; a day begins at midnight in New York.

    Args:
        at: aware.
    """
    if grain == Grain.DAY:
        return at.astimezone(EASTERN).replace(hour=0, minute=0, second=0, microsecond=0)
    past = at.minute % MINUTES[grain]
    return at.replace(second=0, microsecond=0) - timedelta(minutes=past)
