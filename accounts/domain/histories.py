"""The stretches of time of which a history keeps the last value."""

from datetime import datetime, timedelta

from accounts.domain.words import Grain
from strategies.domain.new_york import midnight

MINUTES = {Grain.MINUTE: 1, Grain.QUARTER: 15}


def start_of(grain: Grain, at: datetime) -> datetime:
    """Return when the stretch began in which a moment lies; a day begins at midnight in New York.

    Args:
        at: aware.
    """
    if grain == Grain.DAY:
        return midnight(at)
    past = at.minute % MINUTES[grain]
    return at.replace(second=0, microsecond=0) - timedelta(minutes=past)
