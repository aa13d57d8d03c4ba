"""GO before the open, and NO-GO with the name of whatever is in the way."""

import os
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.models import Alarm, BrokerLogin, Token
from accounts.services import heartbeats
from accounts.services.alarms import raise_alarm
from accounts.services.beat_runs import BeatRun, record_run
from accounts.services.gate import close_gate
from accounts.services.short_memory import short_memory
from orders.models import ElsewhereLook
from orders.selectors.preflight import NO_GO, Check, preflight, verdict
from orders.services.broker_clock import clock_check, seconds_off
from orders.tasks.health import queue_part
from orders.tasks.preflight import preflight as preflight_task

pytestmark = pytest.mark.django_db(transaction=True)


def looked() -> str:
    return verdict(preflight(queue=queue_part(), now=timezone.now()))


def test_go_when_all_is_well(morning):
    assert looked() == "GO"
    preflight_task()
    assert not Alarm.objects.exists()


def gate(fleet):
    close_gate("A restored database.", now=timezone.now())


def process(fleet):
    short_memory().hset(heartbeats.KEY, "stream", "1")


def beat(fleet):
    old = time.time() - 900
    run = BeatRun(started_at=old, finished_at=old, oldest_at=old, asked=1)
    record_run(Beat.ACCOUNTS, run, {}, set(), Savings())


def login(fleet):
    BrokerLogin.objects.filter(pk=fleet.logins[0].pk).update(status="LOGIN_REQUIRED")


def token(fleet):
    soon = timezone.now() + timedelta(hours=20)
    Token.objects.filter(login=fleet.logins[0]).update(refresh_expires_at=soon)


def position(fleet):
    ElsewhereLook.objects.create(
        account=fleet.accounts[0], difference={"AAPL": "3"}, since=timezone.now()
    )


def order(fleet):
    fleet.broker.fault("drop_after", method="POST", account=fleet.accounts[0].hash_value)
    fleet.broadcast(fleet.shares(3))


def alarm(fleet):
    raise_alarm("A_TEST", f"a test {uuid4()}", "A test says so.", now=timezone.now())


def backup(fleet):
    from django.conf import settings

    (made,) = settings.BACKUP_FOLDER.iterdir()
    old = time.time() - 27 * 3600
    os.utime(made, (old, old))


@pytest.mark.parametrize(
    ("break_it", "names"),
    [
        (gate, "Start-up gate"),
        (process, "Processes and queues"),
        (beat, "Balances"),
        (login, "Logins"),
        (token, "Tokens"),
        (position, "Positions"),
        (order, "Orders of yesterday"),
        (alarm, "Alarms"),
        (backup, "Backup"),
    ],
)
def test_no_go_names_what_is_in_the_way(morning, break_it, names):
    break_it(morning)

    assert looked() == f"NO-GO: {names}"


def test_no_go_without_a_queue(morning, queue):
    queue.kill()
    try:
        said = looked()
    finally:
        queue.start()

    assert said.startswith("NO-GO: Task queue, Processes and queues")


def test_the_morning_raises_an_alarm_with_the_reasons(morning):
    token(morning)

    preflight_task()

    alarm = Alarm.objects.get(code=NO_GO)
    assert alarm.words == "NO-GO: Tokens. Run: manage.py preflight"


def test_the_alarm_of_yesterday_morning_is_no_reason_by_itself(morning):
    token(morning)
    preflight_task()
    Token.objects.update(refresh_expires_at=timezone.now() + timedelta(days=7))

    assert looked() == "GO"


def test_our_clock_is_compared_with_the_brokers(morning):
    assert clock_check() == Check("Clock", is_go=True, words="the broker's")

    BrokerLogin.objects.update(status="LOGIN_REQUIRED")
    assert "is not known" in clock_check().words


@pytest.mark.parametrize(
    ("said", "began", "ended", "off"),
    [
        (100, 100.2, 100.3, 0.0),
        (100, 100.99, 101.5, 0.0),
        (100, 99.9, 100.0, 0.0),
        (100, 103.5, 103.6, 2.5),
        (100, 95.0, 95.5, 4.5),
    ],
)
def test_a_clock_is_wrong_only_where_it_cannot_be_right(said, began, ended, off):
    assert seconds_off(said, began=began, ended=ended) == pytest.approx(off)
