"""What the status page and `GET status/` show: is everything well, and what does it cost."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection

from accounts.domain.beats import FIGURES, Beat, Savings
from accounts.domain.words import ABLE
from accounts.models import BeatDay, BrokerLogin
from accounts.services.beat_progress import BeatProgress, progress_of_runs
from accounts.services.beat_runs import BeatAge, BeatRun, age_words, beat_ages, last_runs
from accounts.services.short_memory import short_memory
from accounts.services.stream_health import StreamHealth, stream_health
from brokerage.budget import Lane, Terms, the_budget
from orders.selectors.health_keys import MOST_KEYS, KeyShown, keys_shown, shared_words
from orders.selectors.writes import busiest_account
from strategies.domain.new_york import EASTERN, exchange_date

SIGN_IN = "sign-in"

_Login = tuple[UUID, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the installation: whether it answers, and how fast or why not."""

    name: str
    is_well: bool
    words: str


@dataclass(frozen=True, slots=True)
class BeatShown:
    """A beat with its last run.

    Args:
        age_s: since its last good run; None if there was none.
        oldest: how old the oldest of what it reads is, in words; empty if there is nothing to read.
        progress: of a run that somebody asked for.
    """

    beat: Beat
    name: str
    age_s: float | None
    age: str
    is_late: bool
    run: BeatRun | None
    oldest_s: float | None
    oldest: str
    took_ms: float | None
    progress: BeatProgress | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A login with which something is wrong; `what` is what was tried, `since` may be unknown."""

    login: str
    what: str
    words: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SavingsShown:
    """A day's requests of one beat or of all, against simpler ways; shares in percent."""

    name: str
    day: Savings
    of_every_order: float | None
    of_every_working: float | None
    of_every_account: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """Everything at once."""

    parts: Sequence[Part]
    beats: Sequence[BeatShown]
    troubles: Sequence[Trouble]
    logins: int
    terms: Terms
    lanes: Sequence[str]
    keys: Sequence[KeyShown]
    more_keys: int
    writes: tuple[str, int]
    savings: Sequence[SavingsShown]
    streams: tuple[int, int]
    shared_key: str

    @property
    def logins_out(self) -> int:
        """How many logins must sign in again, or do not work."""
        return sum(one.what == SIGN_IN for one in self.troubles)

    @property
    def is_well(self) -> bool:
        return not self.troubles and all(part.is_well for part in self.parts)


def health(*, queue: Part, now: datetime, ages: Sequence[BeatAge] | None = None) -> Health:
    """Return how everything is; the database and the caches are asked, the broker is not.

    Args:
        queue: how the task queue is, which only tasks can tell.
        ages: of the beats, if they are read already.
    """
    runs, asked = last_runs(), progress_of_runs()
    ages = beat_ages(now=now) if ages is None else ages
    streams = stream_health(now=now)
    logins, database = _logins()
    labels = {pk: label for pk, label, *_ in logins}
    by_key: dict[str, list[str]] = defaultdict(list)
    for _, label, _, _, key in logins:
        by_key[key].append(label)
    budget = the_budget()
    keys = keys_shown(by_key, budget.uses(list(by_key)), budget.terms)
    return Health(
        parts=[database, queue, _cache()],
        beats=[_beat(age, runs.get(age.beat), asked.get(age.beat), now) for age in ages],
        troubles=[
            *_unconnected(logins),
            *_failing(runs),
            *_silent_streams(streams, labels),
        ],
        logins=len(logins),
        terms=budget.terms,
        lanes=[lane.name.capitalize() for lane in Lane],
        keys=keys[:MOST_KEYS],
        more_keys=max(len(keys) - MOST_KEYS, 0),
        writes=busiest_account(now),
        savings=_savings(now),
        streams=(sum(one.is_healthy for one in streams.values()), len(streams)),
        shared_key=shared_words(by_key, budget.terms),
    )


def _logins() -> tuple[list[_Login], Part]:
    """Return the logins, and how fast the database answered to that."""
    began = time.monotonic()
    rows = BrokerLogin.objects.filter(environment=settings.ENVIRONMENT)
    found = list(rows.values_list("pk", "label", "status", "status_reason", "app_key_index"))
    return found, Part("Database", True, f"{connection.vendor}, {_ms(began)}")


def run_version() -> str:
    """Return a word that changes whenever a beat has run or somebody asked for one."""
    runs, asked = last_runs(), progress_of_runs()
    ended = [f"{run.finished_at:.2f}" for run in runs.values()]
    return ".".join([*ended, *(f"{one.read}/{one.failed}/{one.is_done}" for one in asked.values())])


def _cache() -> Part:
    began = time.monotonic()
    try:
        short_memory().ping()
    except redis.RedisError as error:
        words = f"silent ({type(error).__name__}): polls run at a quarter of their rate"
        return Part("Cache (Redis)", False, words)
    return Part("Cache (Redis)", True, _ms(began))


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.1f} ms"


def _beat(
    age: BeatAge, run: BeatRun | None, asked: BeatProgress | None, now: datetime
) -> BeatShown:
    oldest_at = run.oldest_at if run is not None else None
    oldest_s = None if oldest_at is None else max(now.timestamp() - oldest_at, 0.0)
    took = None if run is None else (run.finished_at - run.started_at) * 1000
    return BeatShown(
        beat=age.beat,
        name=age.name,
        age_s=age.age_s,
        age=age.words,
        is_late=age.is_late,
        run=run,
        oldest_s=oldest_s,
        oldest="" if oldest_s is None else age_words(oldest_s),
        took_ms=took,
        progress=asked,
    )


def _unconnected(logins: Sequence[_Login]) -> list[Trouble]:
    return [
        Trouble(label, SIGN_IN, reason or "Connect it again.")
        for _, label, status, reason, _ in logins
        if status not in ABLE
    ]


def _failing(runs: Mapping[Beat, BeatRun]) -> list[Trouble]:
    return [
        Trouble(
            failure["login"],
            beat.lower(),
            failure["words"],
            datetime.fromtimestamp(failure["since"], EASTERN),
        )
        for beat, run in runs.items()
        for failure in run.failures.values()
    ]


def _silent_streams(
    streams: Mapping[UUID, StreamHealth], labels: Mapping[UUID, str]
) -> list[Trouble]:
    return [
        Trouble(labels[pk], "stream", one.words or "is not heard")
        for pk, one in streams.items()
        if not one.is_healthy and pk in labels
    ]


def _savings(now: datetime) -> list[SavingsShown]:
    rows = BeatDay.objects.filter(on=exchange_date(now)).values_list("beat", *FIGURES)
    by_beat = {Beat(beat): Savings(*figures) for beat, *figures in rows}
    orders = Savings()
    for beat in (Beat.STOCKS, Beat.OPTIONS):
        orders.add(by_beat.get(beat, Savings()))
    pairs = [("Orders", orders), ("Balances", by_beat.get(Beat.ACCOUNTS, Savings()))]
    return [_saved(name, figures) for name, figures in pairs]


def _saved(name: str, day: Savings) -> SavingsShown:
    def share(of: int) -> float | None:
        return None if not of else 100 * day.calls / of

    return SavingsShown(
        name, day, share(day.every_order), share(day.every_working), share(day.every_account)
    )
