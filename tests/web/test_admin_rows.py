"""Account groups and the beat's periods in the administration."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from accounts.domain.schedules import PERIODS
from accounts.domain.words import Role
from accounts.models import Account, AccountGroup, User
from accounts.services.schedules import BadPeriod, set_period
from tests.support.make import make_account, make_group, make_user
from tests.web.administering import page_of, told_of
from tests.web.browsing import text_of
from tradeswim.beat import Scheduler
from tradeswim.celery import app
from tradeswim.schedule import BEAT_SCHEDULE


@pytest.fixture
def boss(db) -> User:
    return make_user(Role.ADMIN, username="boss")


@pytest.fixture
def admin(boss) -> Client:
    """A browser in which an admin is signed in."""
    browser = Client()
    browser.force_login(boss)
    return browser


@pytest.fixture
def beat(transactional_db) -> None:
    """The beat's rows, as its start writes them."""
    start_beat()


def start_beat() -> Scheduler:
    scheduler = Scheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    return scheduler


# --- groups -------------------------------------------------------------------------------------


def test_an_admin_makes_a_group_and_changes_who_is_in_it(admin):
    one, two = make_account(), make_account()
    admin.post("/admin/accounts/accountgroup/add/", {"name": "Family", "members": [one.pk]})
    group = AccountGroup.objects.get(name="Family")
    assert list(group.members.all()) == [one]

    admin.post(page_of(group), {"name": "Other", "members": [two.pk]})

    group.refresh_from_db()
    assert (group.name, list(group.members.all())) == ("Family", [two])
    assert told_of(f"accountgroup:{group.pk}") == [("group", "", "Family", "boss")]
    assert told_of(f"account:{one.pk}") == [
        ("groups", "", "Family", "boss"),
        ("groups", "Family", "", "boss"),
    ]
    assert told_of(f"account:{two.pk}") == [("groups", "", "Family", "boss")]
    assert admin.post(page_of(group, "delete"), {"post": "yes"}).status_code == 403


def test_an_account_that_is_not_here_is_put_into_no_group(admin):
    group = make_group("Family")

    gone = make_account().pk
    Account.objects.filter(pk=gone).delete()
    answer = admin.post(page_of(group), {"members": [gone]})

    assert "not one of the available choices" in text_of(answer)
    assert not group.members.exists()


# --- schedules ----------------------------------------------------------------------------------


def test_every_beat_of_a_period_has_bounds_around_its_default():
    found = {
        name: entry["schedule"].total_seconds()
        for name, entry in BEAT_SCHEDULE.items()
        if isinstance(entry["schedule"], timedelta)
    }

    assert set(found) == set(PERIODS)
    assert all(PERIODS[name].low <= found[name] <= PERIODS[name].high for name in found)


def test_messages_of_the_beat_end_with_its_period(beat):
    rows = PeriodicTask.objects.filter(name__in=PERIODS)
    ends = {row.name: (row.expire_seconds, row.interval.every) for row in rows}

    assert set(ends) == set(PERIODS)
    assert [name for name, (after, every) in ends.items() if after != every] == []


def test_an_admin_slows_a_beat_and_a_new_start_keeps_it(admin, beat):
    row = PeriodicTask.objects.get(name="sync_accounts")
    running = start_beat()
    assert running.schedule["sync_accounts"].schedule.run_every == timedelta(seconds=15)

    admin.post(page_of(row), {"seconds": "30", "name": "x", "enabled": "", "task": "os.system"})

    row.refresh_from_db()
    assert (row.name, row.task, row.enabled) == ("sync_accounts", "accounts.sync_accounts", True)
    assert told_of("schedule:sync_accounts") == [("period", "15", "30", "boss")]
    for scheduler in (running, start_beat()):
        entry = scheduler.schedule["sync_accounts"]
        assert entry.schedule.run_every == timedelta(seconds=30)
        assert entry.options["expires"] == 30
    assert PeriodicTask.objects.get(name="reconcile").interval.every == 5


def test_a_period_out_of_bounds_is_refused(admin, beat):
    row = PeriodicTask.objects.get(name="sync_accounts")

    for seconds in ("0", "14", "301", "-15", "1e9", "", "15.5"):
        answer = admin.post(page_of(row), {"seconds": seconds})
        assert answer.status_code == 200, seconds
        assert "errorlist" in text_of(answer), seconds

    assert PeriodicTask.objects.get(pk=row.pk).interval.every == 15
    assert told_of("schedule:sync_accounts") == []


def test_what_is_not_edited_is_refused_by_page_and_service(admin, beat):
    row = PeriodicTask.objects.get(name="thin_history")

    assert admin.get(page_of(row)).status_code == 200
    assert admin.post(page_of(row), {"seconds": "60"}).status_code == 403
    assert admin.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
    assert admin.get("/admin/django_celery_beat/periodictask/add/").status_code == 403
    with pytest.raises(BadPeriod):
        set_period(name="thin_history", seconds=60, actor="x", now=timezone.now())
    assert json.loads(row.kwargs) == {}
