"""A beat that stops while its market is open raises one alarm; a quiet night raises none."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.models import Alarm, Instance
from accounts.services.beat_runs import BeatRun, record_run
from accounts.services.beat_watch import check_beats
from accounts.services.market_hours import forget_hours
from accounts.services.short_memory import short_memory

pytestmark = pytest.mark.usefixtures("fleet", "_own_cache")


@pytest.fixture
def _own_cache(queue, settings):
    settings.CACHE_URL = queue.url
    Instance.objects.create(host="x", database="y", started_at=timezone.now() - timedelta(hours=1))


def ran(age_s, beats=tuple(Beat), **fields):
    at = timezone.now().timestamp() - age_s
    for beat in beats:
        run = BeatRun(started_at=at, finished_at=at, **fields)
        record_run(beat, run, silent={}, read=set(), savings=Savings())


def alarms():
    return list(Alarm.objects.order_by("pk").values_list("code", "subject"))


def test_beats_that_run_raise_nothing():
    ran(5)

    assert check_beats(now=timezone.now()) == []
    assert alarms() == []


def test_a_beat_that_stopped_raises_one_alarm():
    ran(5, [Beat.STOCKS, Beat.ACCOUNTS])
    ran(90, [Beat.OPTIONS])

    for _ in range(2):
        assert check_beats(now=timezone.now()) == [Beat.OPTIONS]

    assert alarms() == [("BEAT_STALLED", "beat:OPTIONS")]
    assert "Option orders have not been read for 60 s" in Alarm.objects.get().words


def test_runs_that_read_nothing_they_asked_for_are_no_good_runs():
    ran(90)
    ran(2, asked=3, read=0)

    assert check_beats(now=timezone.now()) == list(Beat)


def test_a_beat_that_never_ran_is_stalled_but_not_just_after_a_start():
    assert check_beats(now=timezone.now()) == list(Beat)
    Alarm.objects.all().delete()
    Instance.objects.update(started_at=timezone.now() - timedelta(seconds=30))

    assert check_beats(now=timezone.now()) == []


def test_while_the_market_is_closed_nobody_is_woken():
    short_memory().set("hours:PAPER", json.dumps({"equity": [], "option": []}))

    assert check_beats(now=timezone.now()) == []
    short_memory().delete("hours:PAPER")
    forget_hours()
    assert check_beats(now=timezone.now()) == list(Beat)
