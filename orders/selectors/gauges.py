"""What a monitor is told of the rows: a few numbers, none of them about one person or account."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min

from accounts.models import Alarm, BrokerLogin, Token, TradingMode
from accounts.selectors import our_accounts
from accounts.services.beat_runs import beat_ages, last_runs
from accounts.services.sealing import oldest_unsealed
from accounts.services.stream_health import stream_health
from accounts.services.uptime import uptimes
from orders.domain.lifecycle import LIVE, TERMINAL, UNRESOLVED, Status, any_of
from orders.models import AccountOrder, ComplexOrder, ExternalOrder

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number; seconds, shares from 0 to 1, or a count, as its name says."""

    name: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


WORDS = {
    "orders": "Account orders that have not ended, by status",
    "orders_needing_agent": "Account orders that only a person settles",
    "order_unknown_age_seconds": "How long the oldest order of unknown outcome waits; 0: none",
    "orders_ready_past_deadline": "Orders that should have been sent or expired",
    "orders_sending_past_lease": "Orders whose sender has not said what became of them",
    "orders_elsewhere": "Live orders at the broker that are not ours",
    "last_broadcast_seconds": "Click until the last request sent, of the newest sent broadcast",
    "accounts_active": "Accounts that broadcasts go to",
    "modes_restricted": "Modes that are not OPEN, by scope; GATE is the start-up gate",
    "logins": "Logins of this environment, by status",
    "refresh_token_days_left": "Days until the first refresh token ends",
    "alarms_open": "Alarms that nobody has acknowledged, by code",
    "beat_age_seconds": "Since the last good run of a beat",
    "beat_oldest_seconds": "How old the oldest is of what a beat reads",
    "streams_healthy": "Streams that are heard",
    "streams": "Streams that are to be heard",
    "audit_unsealed_age_seconds": "How long the oldest event waits for its seal",
    "alive": "1 where a process or queue gives signs of life",
    "alive_age_seconds": "Since its last sign of life",
    "uptime_today": "Share of today's minutes in which it was there",
    "uptime_month": "Share of this month's minutes in which it was there",
    "disk_free": "Share of the disk of the home that is free",
}


def gauges(*, now: datetime) -> Iterator[Gauge]:
    """Yield every number; the database and the cache are asked, the broker is not."""
    yield from _orders(now)
    yield from _accounts(now)
    yield from _beats(now)
    yield from _uptimes(now)
    free = shutil.disk_usage(settings.HOME)
    yield Gauge("disk_free", free.free / free.total)


def _orders(now: datetime) -> Iterator[Gauge]:
    ours = AccountOrder.objects.filter(account__login__environment=settings.ENVIRONMENT)
    live = ours.filter(status__in=any_of(LIVE))
    counts = dict(live.values_list("status").annotate(n=Count("pk")))
    for status in Status:
        if status not in TERMINAL:
            yield Gauge("orders", counts.get(status, 0), {"status": status})
    yield Gauge("orders_needing_agent", ours.filter(needs_agent=True).count())
    unknown = ours.filter(status=Status.UNKNOWN).aggregate(at=Min("claimed_at"))["at"]
    yield Gauge("order_unknown_age_seconds", _age(unknown, now))
    late = live.filter(status=Status.READY, deadline_at__lt=now)
    yield Gauge("orders_ready_past_deadline", late.count())
    lease = now - timedelta(seconds=settings.CLAIM_LEASE_S)
    held = live.filter(status__in=any_of(UNRESOLVED - {Status.UNKNOWN}), claimed_at__lt=lease)
    yield Gauge("orders_sending_past_lease", held.count())
    yield Gauge("orders_elsewhere", ExternalOrder.objects.filter(ended_at=None).count())
    took = ComplexOrder.objects.filter(broadcast_ms__isnull=False).order_by("-pk")
    last = took.values_list("broadcast_ms", flat=True).first()
    if last is not None:
        yield Gauge("last_broadcast_seconds", last / 1000)


def _accounts(now: datetime) -> Iterator[Gauge]:
    logins = BrokerLogin.objects.filter(environment=settings.ENVIRONMENT)
    yield Gauge("accounts_active", our_accounts().filter(is_active=True).count())
    for status, count in logins.values_list("status").annotate(n=Count("pk")):
        yield Gauge("logins", count, {"status": status})
    tokens = Token.objects.filter(login__environment=settings.ENVIRONMENT)
    first = tokens.aggregate(at=Min("refresh_expires_at"))["at"]
    if first is not None:
        yield Gauge("refresh_token_days_left", (first - now).total_seconds() / DAY_S)
    restricted = TradingMode.objects.exclude(mode="OPEN").values_list("scope")
    for scope, count in restricted.annotate(n=Count("pk")):
        yield Gauge("modes_restricted", count, {"scope": scope})
    alarms = Alarm.objects.filter(acknowledged_at=None).values_list("code")
    for code, count in alarms.annotate(n=Count("pk")):
        yield Gauge("alarms_open", count, {"code": code})
    yield Gauge("audit_unsealed_age_seconds", _age(oldest_unsealed(), now))


def _beats(now: datetime) -> Iterator[Gauge]:
    for age in beat_ages(now=now):
        if age.age_s is not None:
            yield Gauge("beat_age_seconds", age.age_s, {"beat": age.beat})
    for beat, run in last_runs().items():
        if run.oldest_at is not None:
            oldest = max(now.timestamp() - run.oldest_at, 0.0)
            yield Gauge("beat_oldest_seconds", oldest, {"beat": beat})
    streams = stream_health(now=now)
    yield Gauge("streams", len(streams))
    yield Gauge("streams_healthy", sum(one.is_healthy for one in streams.values()))


def _uptimes(now: datetime) -> Iterator[Gauge]:
    for one in uptimes(now=now):
        labels = {"name": one.name}
        yield Gauge("alive", one.is_alive, labels)
        if one.age_s is not None:
            yield Gauge("alive_age_seconds", one.age_s, labels)
        if one.today is not None and one.month is not None:
            yield Gauge("uptime_today", one.today, labels)
            yield Gauge("uptime_month", one.month, labels)


def _age(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)
