"""Minutes in which processes and queues were there, counted once; what nobody counted was down."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.domain.heartbeats import EVERYTHING
from accounts.models import UptimeDay
from accounts.services import heartbeats
from accounts.services.short_memory import short_memory
from accounts.services.uptime import count_minute, uptimes
from accounts.tasks.watching import say_alive

pytestmark = pytest.mark.django_db
# Noon in New York, in winter.
NOON = datetime(2026, 1, 15, 17, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _memory(settings, queue):
    settings.CACHE_URL = queue.url
    settings.HAS_STREAMS = True
    short_memory().delete(heartbeats.KEY)


def everybody(at: datetime, *, but: str = "") -> None:
    names = [name for name in heartbeats.expected(has_streams=True) if name != but]
    short_memory().hset(heartbeats.KEY, mapping=dict.fromkeys(names, str(at.timestamp())))


def shown(now: datetime) -> dict[str, tuple[bool, float | None, float | None]]:
    return {one.name: (one.is_alive, one.today, one.month) for one in uptimes(now=now)}


def test_a_minute_is_counted_once_however_often_it_is_looked_at():
    everybody(NOON)

    first = count_minute(now=NOON)
    again = count_minute(now=NOON + timedelta(seconds=10))

    assert (first, again) == (18, 0)
    assert set(UptimeDay.objects.values_list("minutes", flat=True)) == {1}


def test_what_was_silent_is_down_and_so_is_everything_together():
    for number in range(10):
        at = NOON + number * MINUTE
        everybody(at, but="sweeper" if number >= 6 else "")
        count_minute(now=at)

    found = shown(NOON + 10 * MINUTE - timedelta(seconds=25))

    assert found["web"] == (False, 1.0, 1.0)  # its last sign of life is 35 s old
    assert found["sweeper"] == (False, 0.6, 0.6)
    assert found[EVERYTHING][1] == 0.6


def test_minutes_nobody_counted_were_down_also_on_a_day_with_no_minute_at_all():
    everybody(NOON)
    count_minute(now=NOON)
    later = NOON + timedelta(days=2)
    everybody(later)
    count_minute(now=later)

    found = shown(later + timedelta(seconds=5))

    minutes_today = 12 * 60
    assert found["web"] == (
        True,
        pytest.approx(1 / minutes_today),
        pytest.approx(2 / (2 * 24 * 60)),
    )


def test_a_month_begins_anew_but_not_the_time_before_the_first_minute():
    everybody(NOON)
    count_minute(now=NOON)
    in_february = datetime(2026, 2, 1, 17, 0, tzinfo=UTC)
    everybody(in_february)
    count_minute(now=in_february)

    assert shown(in_february)["web"][2] == pytest.approx(1 / (12 * 60))


def test_without_a_cache_nobody_is_known_to_be_there(settings):
    everybody(NOON)
    count_minute(now=NOON)
    settings.CACHE_URL = "redis://127.0.0.1:1/0"

    assert count_minute(now=NOON + MINUTE) == 0
    assert {alive for alive, _, _ in shown(NOON + MINUTE).values()} == {False}


def test_a_queue_is_alive_when_a_task_went_through_it():
    say_alive(queue="recon")

    assert list(heartbeats.heartbeats()) == ["queue recon"]


def test_where_no_stream_is_wanted_none_is_missed(settings):
    settings.HAS_STREAMS = False
    everybody(NOON, but="stream")
    count_minute(now=NOON)

    assert shown(NOON)[EVERYTHING][0] is True
