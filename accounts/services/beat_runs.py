"""What the beats did last, for pages and API; and what they did a day, once a minute."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, cast
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.domain.beats import FIGURES, NAMES, Beat, Savings
from accounts.live.panels import tell_beat
from accounts.models import BeatDay, BrokerLogin
from accounts.services.short_memory import short_memory
from strategies.domain.new_york import EASTERN

log = logging.getLogger(__name__)

# Every transaction is one that a click may have to wait for.
WRITE_EVERY_S = 60.0
PERIODS_S = {Beat.STOCKS: 5, Beat.OPTIONS: 5, Beat.ACCOUNTS: 15}
# After so many periods without a good run a beat is late.
LATE_AFTER = 3


@dataclass(slots=True)
class BeatRun:
    """One run of a beat, as it is shown.

    Args:
        orders: working orders, or accounts, that it is about.
        logins: that have any; of these it asked `asked` and read `read`; `put_off` had to wait for
            their request budget, `waiting` have not answered yet.
        failures: of logins that could not be read, the words and since when, by login.
        oldest_at: when the login that was read longest ago was read; None if nothing is to be read.
        is_open: whether the market is, as far as it is known.
        good_at: when the last run ended that read whatever it asked for, wholly or in part.
    """

    started_at: float = 0.0
    finished_at: float = 0.0
    good_at: float | None = None
    orders: int = 0
    logins: int = 0
    asked: int = 0
    read: int = 0
    put_off: int = 0
    waiting: int = 0
    calls: int = 0
    changed: int = 0
    oldest_at: float | None = None
    is_open: bool = True
    every_s: float = 0.0
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return not self.asked or self.read > 0


@dataclass(frozen=True, slots=True)
class BeatAge:
    """How long ago a beat last did its work; `words` as a page says it."""

    beat: Beat
    name: str
    age_s: float | None
    is_late: bool
    words: str


def record_run(
    beat: Beat, run: BeatRun, silent: Mapping[UUID, str], read: set[UUID], savings: Savings
) -> None:
    """Remember a run: at once in the cache, added up once a minute in the database.

    Args:
        silent: why logins could not be read; others that failed before and were not read since
            are still failing.
        read: logins that were read.
    """
    before = last_runs().get(beat, BeatRun())
    kept = {pk: one for pk, one in before.failures.items() if UUID(pk) not in read}
    run.failures = kept | _failures(silent, before, run.finished_at)
    run.good_at = run.finished_at if run.is_good else before.good_at
    _own[beat] = run
    try:
        short_memory().set(_name(beat), json.dumps(asdict(run)))
    except redis.RedisError as error:
        log.warning("the run of %s is kept in memory: %s", beat, type(error).__name__)
    if run.is_good:
        tell_beat(beat, datetime.fromtimestamp(run.finished_at, UTC))
    with _counting:
        _ledger.setdefault(beat, _Ledger()).add(run, savings)
    flush_days(only=beat, every_s=WRITE_EVERY_S)


def count_calls(beat: Beat, savings: Savings) -> None:
    """Count what was asked beside the runs of a beat, in whatever process.

    Who counts so calls `flush_days` now and then, for there may be no run that writes it down.
    """
    if savings.calls:
        with _counting:
            _ledger.setdefault(beat, _Ledger()).count(savings, at=time.time())


def last_runs() -> dict[Beat, BeatRun]:
    """Return the last run of each beat that is known, in one round trip."""
    found = dict(_own)
    try:
        texts = cast("list[bytes | None]", short_memory().mget([_name(beat) for beat in Beat]))
    except redis.RedisError as error:
        log.warning("the last runs are not known: %s", type(error).__name__)
        return found
    for beat, text in zip(Beat, texts, strict=True):
        if text is not None:
            found[beat] = BeatRun(**json.loads(text))
    return found


def beat_ages(*, now: datetime) -> list[BeatAge]:
    """Return how old what each beat read is; without the cache as of the last minute."""
    runs = last_runs()
    times = {beat: run.good_at for beat, run in runs.items()}
    if missing := [beat for beat in Beat if times.get(beat) is None]:
        rows = BeatDay.objects.filter(beat__in=missing, good_at__isnull=False)
        for beat, good_at in rows.order_by("on").values_list("beat", "good_at"):
            times[Beat(beat)] = good_at.timestamp() if good_at else None
    return [_age(beat, times.get(beat), runs.get(beat), now.timestamp()) for beat in Beat]


def flush_days(*, only: Beat | None = None, every_s: float = 0.0) -> None:
    """Add what was counted to the rows of the day, if that was last done so long ago."""
    for beat in list(_ledger):
        if only in (None, beat) and (counted := _take(beat, every_s)):
            _add_to_day(beat, counted)


def forget_runs() -> None:
    """Forget what this process counted and remembers."""
    _own.clear()
    _ledger.clear()


class _Ledger:
    """What a process counted since it last wrote."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.runs = 0
        self.at = 0.0
        self.good_at: float | None = None
        self.savings = Savings()

    def add(self, run: BeatRun, savings: Savings) -> None:
        self.runs += 1
        self.good_at = run.good_at or self.good_at
        self.count(savings, at=run.finished_at)

    def count(self, savings: Savings, *, at: float) -> None:
        self.at = at
        self.savings.add(savings)


_own: dict[Beat, BeatRun] = {}
_ledger: dict[Beat, _Ledger] = {}
_counting = Lock()


def _take(beat: Beat, every_s: float) -> _Ledger | None:
    """Take what was counted for a beat, if there is anything, and it is so old."""
    with _counting:
        ledger = _ledger[beat]
        if not ledger.at or time.monotonic() - ledger.since < every_s:
            return None
        _ledger[beat] = _Ledger()
        return ledger


def _add_to_day(beat: Beat, counted: _Ledger) -> None:
    on = datetime.fromtimestamp(counted.at, EASTERN).date()
    good_at = None if counted.good_at is None else datetime.fromtimestamp(counted.good_at, UTC)
    more = {name: F(name) + getattr(counted.savings, name) for name in FIGURES}
    with transaction.atomic():
        row, _ = BeatDay.objects.get_or_create(on=on, beat=beat)
        changes = {**more, "runs": F("runs") + counted.runs}
        if good_at is not None:
            changes["good_at"] = good_at
        BeatDay.objects.filter(pk=row.pk).update(**changes)


def _failures(silent: Mapping[UUID, str], before: BeatRun, at: float) -> dict[str, dict[str, Any]]:
    """Return what is wrong with logins, by id, with their labels: the page names them."""
    if not silent:
        return {}
    labels = dict(BrokerLogin.objects.filter(pk__in=silent).values_list("pk", "label"))
    return {
        str(pk): {
            "login": labels.get(pk, "A login that is gone"),
            "words": words,
            "since": before.failures.get(str(pk), {}).get("since", at),
        }
        for pk, words in silent.items()
    }


def _age(beat: Beat, good_at: float | None, run: BeatRun | None, now: float) -> BeatAge:
    age = None if good_at is None else max(now - good_at, 0.0)
    is_late = age is None or age > LATE_AFTER * PERIODS_S[beat]
    return BeatAge(beat, NAMES[beat], age, is_late, age_words(age))


def age_words(age_s: float | None) -> str:
    """Say an age in words, as short as a page has room for."""
    if age_s is None:
        return "never"
    if age_s < 100:
        return f"{age_s:.0f} s"
    if age_s < 6000:
        return f"{age_s / 60:.0f} min"
    return f"{age_s / 3600:.0f} h"


def _name(beat: Beat) -> str:
    return f"beat:{settings.ENVIRONMENT}:{beat}"
