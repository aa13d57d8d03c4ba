"""Count the minutes in which everything was there; what nobody counted was down."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import F, Subquery

from accounts.domain.heartbeats import EVERYTHING, is_alive, share_of, share_words
from accounts.models import UptimeDay
from accounts.services.beat_runs import age_words
from accounts.services.heartbeats import expected, heartbeats
from strategies.domain.new_york import EASTERN


@dataclass(frozen=True, slots=True)
class Alive:
    """One process or queue.

    Args:
        age_s: since its last sign of life; None if none is known.
        today, month: how much of the time it was there, from 0 to 1; None before the first minute.
    """

    name: str
    age_s: float | None
    is_alive: bool
    today: float | None
    month: float | None

    @property
    def age_words(self) -> str:
        return age_words(self.age_s or 0.0)

    @property
    def today_words(self) -> str:
        return share_words(self.today)

    @property
    def month_words(self) -> str:
        return share_words(self.month)


def ages(*, now_s: float | None = None) -> dict[str, float | None]:
    """Return the age of each expected sign of life; None for all while the cache is away."""
    names = expected(has_streams=settings.HAS_STREAMS)
    now_s = time.time() if now_s is None else now_s
    try:
        found = heartbeats()
    except redis.RedisError:
        found = {}
    return {name: max(now_s - found[name], 0.0) if name in found else None for name in names}


def count_minute(*, now: datetime) -> int:
    """Count this minute for whatever is there, once; return for how many it was counted."""
    known = ages(now_s=now.timestamp())
    names = [name for name, age in known.items() if is_alive(name, age)]
    if len(names) == len(known):
        names.append(EVERYTHING)
    return _count(names, now.replace(second=0, microsecond=0))


def uptimes(*, now: datetime) -> list[Alive]:
    """Return everything that must be there, all together first."""
    known = ages(now_s=now.timestamp())
    alive = {name: is_alive(name, age) for name, age in known.items()}
    oldest = max((age for age in known.values() if age is not None), default=None)
    shares = _shares(now)
    return [
        Alive(name, age, is_there, *shares.get(name, (None, None)))
        for name, age, is_there in [
            (EVERYTHING, oldest, all(alive.values())),
            *((name, age, alive[name]) for name, age in known.items()),
        ]
    ]


def _shares(now: datetime) -> dict[str, tuple[float, float]]:
    """Return by name how much of today and of this month it was there."""
    midnight = now.astimezone(EASTERN).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight.replace(day=1)
    minutes: dict[str, list[int]] = {}
    earliest = UptimeDay.objects.order_by("first_at").values("first_at")[:1]
    rows = UptimeDay.objects.filter(on__gte=first.date()).annotate(began_at=Subquery(earliest))
    began_at = now
    for name, on, counted, earliest_at in rows.values_list("name", "on", "minutes", "began_at"):
        began_at = earliest_at
        found = minutes.setdefault(name, [0, 0])
        found[0] += counted if on == midnight.date() else 0
        found[1] += counted

    def share(counted: int, since: datetime) -> float:
        return share_of(counted, since=since, began_at=began_at, now=now)

    return {
        name: (share(today, midnight), share(month, first))
        for name, (today, month) in minutes.items()
    }


def _count(names: Collection[str], minute: datetime) -> int:
    if not names:
        return 0
    on = minute.astimezone(EASTERN).date()
    with transaction.atomic():
        mine = UptimeDay.objects.filter(on=on, name__in=names)
        known = set(mine.values_list("name", flat=True))
        counted = mine.filter(counted_at__lt=minute).update(
            minutes=F("minutes") + 1, counted_at=minute
        )
        new = [
            UptimeDay(on=on, name=name, minutes=1, first_at=minute, counted_at=minute)
            for name in names
            if name not in known
        ]
        UptimeDay.objects.bulk_create(new)
    return counted + len(new)
