"""What the fleet and its accounts were worth over time, for plots."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from django.db.models import Max, QuerySet
from django.db.models.functions import TruncDay

from accounts.domain.words import Grain
from accounts.models import BalanceSnapshot, FleetWorth
from strategies.domain.new_york import EASTERN

Point = tuple[datetime, Decimal]


class Span(StrEnum):
    """How far back a plot reaches."""

    DAY = "1d"
    WEEK = "1w"
    MONTH = "1m"
    ALL = "all"


_DAYS = {Span.DAY: 1, Span.WEEK: 7, Span.MONTH: 30}
_GRAINS = {Span.DAY: Grain.MINUTE, Span.ALL: Grain.DAY}


def span_of(word: str) -> Span:
    """Return the span of this name; what is no span is a day."""
    return Span(word) if word in set(Span) else Span.DAY


def fleet_worth(span: Span, *, now: datetime) -> list[Point]:
    """Return what all accounts were worth together: by the minute, quarter hour, hour or day.

    A day's history has 1,440 points at most, a month's 720, and one of all times one a day.
    """
    rows = FleetWorth.objects.filter(grain=_GRAINS.get(span, Grain.QUARTER))
    if span in _DAYS:
        rows = rows.filter(at__gte=now - timedelta(days=_DAYS[span]))
    if span == Span.MONTH:
        rows = rows.filter(at__minute=0)
    return _points(rows)


def short_worth(*, now: datetime) -> list[Point]:
    """Return the last day by the quarter hour, for a sparkline."""
    rows = FleetWorth.objects.filter(grain=Grain.QUARTER, at__gte=now - timedelta(days=1))
    return _points(rows)


def account_worth(account_id: UUID, *, now: datetime, days: int = 30) -> list[Point]:
    """Return the last known value of an account on each of the last days on which it changed."""
    rows = BalanceSnapshot.objects.filter(
        account=account_id, at__gte=now - timedelta(days=days), value__isnull=False
    )
    by_day = rows.annotate(day=TruncDay("at", tzinfo=EASTERN)).values("day")
    last = by_day.annotate(last=Max("at")).values("last")
    found = rows.filter(at__in=last).order_by("at").values_list("at", "value")
    return [(at, value) for at, value in found if value is not None]


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """Return at most so many of the points, evenly, and the last one always."""
    step = -(-len(points) // most) if points else 1
    return [one for place, one in enumerate(points) if (len(points) - 1 - place) % step == 0]


def _points(rows: QuerySet[FleetWorth]) -> list[Point]:
    return list(rows.order_by("at").values_list("at", "value"))
