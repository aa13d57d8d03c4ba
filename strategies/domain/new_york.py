"""The exchange's clock: which day it is in New York, and when a day begins there."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


def exchange_date(at: datetime) -> date:
    """Return the date at the exchange at an aware moment."""
    return at.astimezone(EASTERN).date()


def midnight(at: datetime) -> datetime:
    """Return when the day began at the exchange in which an aware moment lies."""
    return midnight_of(exchange_date(at))


def midnight_of(day: date) -> datetime:
    """Return when a day begins at the exchange."""
    return datetime.combine(day, time(), EASTERN)
