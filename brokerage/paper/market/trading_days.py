"""On which days the New York exchanges trade: weekends, holidays and the monthly expiration day."""

from datetime import date, timedelta
from functools import cache

DAY = timedelta(days=1)
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6
JUNETEENTH_SINCE = 2022


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """Find the nth such weekday of a month, counted from 1."""
    first = date(year, month, 1)
    return first + DAY * ((weekday - first.weekday()) % 7 + 7 * (nth - 1))


def easter(year: int) -> date:
    """Find Easter Sunday of the Gregorian calendar, by the Meeus/Jones/Butcher rule."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    leap_centuries, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon + 15) % 30
    to_sunday = (32 + 2 * rest + 2 * (of_century // 4) - epact - of_century % 4) % 7
    shift = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def observed(holiday: date) -> date:
    """Move a fixed holiday off the weekend: Saturday to Friday, Sunday to Monday."""
    shift = {SATURDAY: -1, SUNDAY: 1}.get(holiday.weekday(), 0)
    return holiday + DAY * shift


@cache
def holidays(year: int) -> frozenset[date]:
    """List the days of a year on which the exchanges stay closed although it is a weekday."""
    memorial = nth_weekday(year, 6, MONDAY, 1) - 7 * DAY
    days = {
        nth_weekday(year, 1, MONDAY, 3),  # Martin Luther King
        nth_weekday(year, 2, MONDAY, 3),  # Presidents
        easter(year) - 2 * DAY,  # Good Friday
        memorial,
        observed(date(year, 7, 4)),
        nth_weekday(year, 9, MONDAY, 1),  # Labor
        nth_weekday(year, 11, THURSDAY, 4),  # Thanksgiving
        observed(date(year, 12, 25)),
    }
    if year >= JUNETEENTH_SINCE:
        days.add(observed(date(year, 6, 19)))
    new_year = date(year, 1, 1)
    if new_year.weekday() != SATURDAY:  # the exchanges then work through the Friday before
        days.add(observed(new_year))
    return frozenset(days)


def is_trading_day(day: date) -> bool:
    """Tell whether the exchanges open on this day."""
    return day.weekday() < SATURDAY and day not in holidays(day.year)


def on_or_before(day: date) -> date:
    """Find the last trading day up to and including this one."""
    while not is_trading_day(day):
        day -= DAY
    return day


def trading_days_from(day: date, count: int) -> list[date]:
    """List this many trading days, starting with this day if it is one."""
    days: list[date] = []
    while len(days) < count:
        if is_trading_day(day):
            days.append(day)
        day += DAY
    return days


def third_friday(year: int, month: int) -> date:
    """Find the third Friday of a month; months past December run on into the next years."""
    years, month_before = divmod(month - 1, 12)
    return nth_weekday(year + years, month_before + 1, FRIDAY, 3)
