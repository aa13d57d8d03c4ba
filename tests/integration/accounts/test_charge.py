"""The deployment that runs keeps its database to itself, and gives signs of life."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from accounts.domain.instances import Note, Verdict
from accounts.models import Instance
from accounts.services.database_lock import AdvisoryLock, deployment_lock
from accounts.services.gate import find_gate
from accounts.services.instances import (
    NotPrepared,
    RunsElsewhere,
    database_to_ourselves,
    here,
    take_charge,
)
from tests.integration.accounts.deployments import note, other_home, start, started_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _home(settings, tmp_path):
    """A home of its own for every test, on a machine with a name."""
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()
    settings.HOST_NAME = "desk one"


@pytest.fixture
def charge():
    """The charge of a deployment that was started and runs."""
    start()
    charge = take_charge(wait_s=0)
    yield charge
    charge.lock.release()


def test_a_second_deployment_is_refused_while_the_first_one_runs(charge, settings, tmp_path):
    other_home(settings, tmp_path)

    with pytest.raises(RunsElsewhere) as refused, database_to_ourselves(wait_s=0):
        raise AssertionError("two deployments had the database")
    with pytest.raises(RunsElsewhere):
        take_charge(wait_s=0)

    words = str(refused.value)
    assert words.startswith("Another deployment runs on this database, on desk one with the home")
    assert words.count("\n") == 0


def test_a_second_deployment_is_refused_between_start_and_first_pulse_of_the_first(
    settings, tmp_path
):
    started_once()
    before = Instance.objects.values().get()
    other_home(settings, tmp_path)

    with pytest.raises(RunsElsewhere, match="used this database 3 s ago, on desk one with"):
        start(after_s=3)

    assert Instance.objects.values().get() == before
    assert find_gate() is None
    assert start(after_s=36).verdict == Verdict.OTHER_HOME


def test_a_pulse_is_one_statement_at_most_every_ten_seconds(charge, django_assert_num_queries):
    now = timezone.now()
    before = Instance.objects.get().pulse

    with django_assert_num_queries(1):
        assert charge.pulse(now=now)
    with django_assert_num_queries(0):
        assert not charge.pulse(now=now + timedelta(seconds=9))
    assert charge.pulse(now=now + timedelta(seconds=10))

    row = Instance.objects.get()
    assert (row.pulse, row.pulsed_at) == (before + 2, now + timedelta(seconds=10))
    assert note() == Note(row.run, row.pulse)


def test_a_pulse_is_counted_though_the_note_cannot_be_written(charge, settings, tmp_path):
    settings.HOME = tmp_path / "gone"
    before = Instance.objects.get().pulse

    assert charge.pulse(now=timezone.now())
    assert Instance.objects.get().pulse == before + 1


def test_a_deployment_that_was_started_anew_elsewhere_finds_out_at_its_next_pulse(charge):
    start()

    with pytest.raises(RunsElsewhere):
        charge.pulse(now=timezone.now())


def test_nobody_takes_charge_of_what_was_not_started_here(settings, tmp_path):
    with pytest.raises(NotPrepared, match="prepare"):
        take_charge(wait_s=0)
    started_once()
    other_home(settings, tmp_path)
    with pytest.raises(NotPrepared):
        take_charge(wait_s=0)

    with database_to_ourselves(wait_s=0):  # neither kept the lock
        pass


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a file that SQLite needs")
def test_a_lock_file_that_was_removed_is_noticed(charge):
    path = Path(f"{connection.settings_dict['NAME']}.lock")
    path.unlink()
    assert charge.pulse(now=timezone.now())

    path.unlink()
    thief = deployment_lock()
    assert thief.take()
    with pytest.raises(RunsElsewhere):
        charge.pulse(now=timezone.now() + timedelta(seconds=10))
    thief.release()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL")
def test_the_advisory_lock_goes_with_its_connection():
    first, second = AdvisoryLock("a test"), AdvisoryLock("a test")
    assert first.take()
    assert first.take()
    assert not second.take()

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
            "WHERE locktype = 'advisory' AND granted"
        )
    assert second.take()
    assert not first.take()
    second.release()
    assert first.take()
    first.release()


def test_a_machine_is_told_by_name_and_id_and_the_id_is_not_shown(settings):
    settings.HOST_NAME = ""

    assert here().host.startswith(os.uname().nodename)
    assert here() == here()
