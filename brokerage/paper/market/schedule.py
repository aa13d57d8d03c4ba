"""When options expire: every day for the busiest underlyings, weekly and monthly for all."""

from datetime import date, timedelta

from brokerage.paper.market.trading_days import (
    DAY,
    on_or_before,
    third_friday,
    trading_days_from,
)
from brokerage.paper.market.underlyings import FRIDAY, Underlying

DAILIES = 15


def monthlies(underlying: Underlying, today: date, count: int) -> list[date]:
    """List the next monthly expirations; those of VIX lie 30 days before the next month's."""
    lead = 0 if underlying.weekday == FRIDAY else 1
    days = (
        third_friday(today.year, today.month + ahead + lead) - lead * timedelta(days=30)
        for ahead in range(count + 1)
    )
    moved = (on_or_before(day) for day in days)
    return [day for day in moved if day >= today][:count]


def weeklies(underlying: Underlying, today: date, count: int) -> list[date]:
    """List the next weekly expirations, a day earlier where their day is a holiday."""
    first = today + DAY * ((underlying.weekday - today.weekday()) % 7)
    moved = (on_or_before(first + week * timedelta(days=7)) for week in range(count))
    return [day for day in moved if day >= today]


def expirations(underlying: Underlying, today: date) -> list[date]:
    """List the expirations that an underlying has on a day, soonest first."""
    weeks, months = (10, 12) if underlying.daily else (8, 9)
    days = {*monthlies(underlying, today, months), *weeklies(underlying, today, weeks)}
    if underlying.daily:
        days.update(trading_days_from(today, DAILIES))
    return sorted(days)


def is_monthly(underlying: Underlying, day: date) -> bool:
    """Tell whether an underlying's monthly options expire on this day."""
    return monthlies(underlying, day, 1) == [day]


def ends_month(day: date) -> bool:
    """Tell whether a trading day is its month's last."""
    return trading_days_from(day + DAY, 1)[0].month != day.month
