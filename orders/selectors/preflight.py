"""Whether the day may begin: one look at everything that a broadcast and an exit will need."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q

from accounts.domain.beats import Beat
from accounts.domain.heartbeats import EVERYTHING
from accounts.domain.words import LoginStatus
from accounts.models import Alarm, BrokerLogin, Token
from accounts.selectors import our_accounts
from accounts.selectors.modes import modes_in_force
from accounts.services.beat_runs import age_words, beat_ages, last_runs
from accounts.services.gate import find_gate
from accounts.services.sealing import oldest_unsealed
from accounts.services.uptime import uptimes
from orders.domain.lifecycle import Status
from orders.domain.naming import few_of
from orders.models import AccountOrder, ElsewhereLook
from orders.selectors.health import Part

BALANCES_AGE = timedelta(minutes=10)
TOKEN_LASTS = timedelta(days=1)
BACKUP_AGE = timedelta(hours=26)
UNSEALED_AGE = timedelta(seconds=60)
DISK_FREE = 0.10
# The alarm of the morning's own look: it says what was found, and is no reason by itself.
NO_GO = "PREFLIGHT_NO_GO"
# So many names are told; the others are counted.
MOST = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `words` say what was found, and what to do about it."""

    name: str
    is_go: bool
    words: str


def preflight(*, queue: Part, now: datetime) -> list[Check]:
    """Look at everything; nothing is asked of the broker and nothing is sent.

    Args:
        queue: how the task queue is, which only tasks can tell.
    """
    return [
        _gate(),
        Check("Task queue", queue.is_well, queue.words),
        _processes(now),
        *_beats(now),
        _logins(),
        _tokens(now),
        _balances(now),
        _positions(),
        _unsettled(),
        _alarms(),
        _modes(),
        _record(now),
        _disk(),
        _backup(now),
    ]


def verdict(checks: Sequence[Check]) -> str:
    """Say GO, or NO-GO with the names of what is in the way."""
    bad = [check.name for check in checks if not check.is_go]
    return f"NO-GO: {', '.join(bad)}" if bad else "GO"


def _gate() -> Check:
    gate = find_gate()
    return Check("Start-up gate", gate is None, "open" if gate is None else gate.words)


def _processes(now: datetime) -> Check:
    silent = [one.name for one in uptimes(now=now) if not one.is_alive and one.name != EVERYTHING]
    words = f"no sign of life: {', '.join(silent)}" if silent else "all there"
    return Check("Processes and queues", not silent, words)


def _beats(now: datetime) -> Iterator[Check]:
    for age in beat_ages(now=now):
        is_go = age.age_s is not None and not age.is_late
        yield Check(f"Beat: {age.name.lower()}", is_go, f"last good run {age.words}")


def _logins() -> Check:
    rows = BrokerLogin.objects.filter(environment=settings.ENVIRONMENT)
    bad = list(rows.exclude(status=LoginStatus.CONNECTED).values_list("label", flat=True))
    return _all_or("Logins", bad, rows.count(), "connected", "connect them on the logins page")


def _tokens(now: datetime) -> Check:
    """Look at tokens that end before the next morning; access tokens are renewed all day."""
    rows = Token.objects.filter(login__environment=settings.ENVIRONMENT)
    bad = rows.filter(
        Q(refresh_expires_at__lt=now + TOKEN_LASTS) | Q(access_expires_at__lt=now)
    ).values_list("login__label", flat=True)
    words = "good until tomorrow", "sign in again today: these end, or ended"
    return _all_or("Tokens", list(bad), rows.count(), *words)


def _balances(now: datetime) -> Check:
    run = last_runs().get(Beat.ACCOUNTS)
    if run is None or run.oldest_at is None:
        return Check("Balances", is_go=False, words="nobody has read any: see the status page")
    age = now - datetime.fromtimestamp(run.oldest_at, UTC)
    return Check(
        "Balances", age <= BALANCES_AGE, f"the oldest are {age_words(age.total_seconds())} old"
    )


def _positions() -> Check:
    """Compare what accounts hold with what sets and orders explain."""
    active = our_accounts().filter(is_active=True)
    odd = ElsewhereLook.objects.filter(account__in=active).exclude(difference={})
    names = list(odd.values_list("account__alias", flat=True))
    words = "as expected", "hold what no set explains: look at positions made elsewhere"
    return _all_or("Positions", names, active.count(), *words)


def _unsettled() -> Check:
    ours = AccountOrder.objects.filter(account__login__environment=settings.ENVIRONMENT)
    left = ours.aggregate(
        unknown=Count("pk", filter=Q(status=Status.UNKNOWN)),
        asking=Count("pk", filter=Q(needs_agent=True)),
    )
    is_go = not (left["unknown"] or left["asking"])
    words = f"{left['unknown']} of unknown outcome, {left['asking']} wait for an agent"
    return Check("Orders of yesterday", is_go, "all settled" if is_go else words)


def _alarms() -> Check:
    open_ones = Alarm.objects.filter(acknowledged_at=None).exclude(code=NO_GO)
    codes = sorted(set(open_ones.values_list("code", flat=True)))
    words = f"not acknowledged: {', '.join(codes)}" if codes else "none open"
    return Check("Alarms", not codes, words)


def _modes() -> Check:
    """Name what is frozen; somebody wanted it, so it is told and is in nobody's way."""
    named = [f"{one.name} {one.rule.mode}" for one in modes_in_force()]
    return Check("Modes", is_go=True, words=", ".join(named[:MOST]) or "all open")


def _record(now: datetime) -> Check:
    oldest = oldest_unsealed()
    if oldest is None or oldest >= now - UNSEALED_AGE:
        return Check("Record", is_go=True, words="sealed")
    return Check("Record", is_go=False, words=f"not sealed since {oldest:%Y-%m-%d %H:%M} UTC")


def _disk() -> Check:
    disk = shutil.disk_usage(settings.HOME)
    free = disk.free / disk.total
    return Check("Disk", free >= DISK_FREE, f"{free:.0%} free")


def _backup(now: datetime) -> Check:
    made = [path.stat().st_mtime for path in settings.BACKUP_FOLDER.glob("*.backup")]
    if not made:
        return Check("Backup", is_go=False, words="there is none: manage.py backup")
    age = now - datetime.fromtimestamp(max(made), UTC)
    words = f"the newest is {age / timedelta(hours=1):.0f} h old"
    return Check("Backup", age <= BACKUP_AGE, words)


def _all_or(name: str, bad: Sequence[str], of: int, well: str, remedy: str) -> Check:
    if not bad:
        return Check(name, of > 0, f"all {of} {well}" if of else "there are none")
    return Check(name, is_go=False, words=f"{few_of(sorted(bad), MOST)}: {remedy}")
