"""Which deployment runs on a database: what a start believes, what it refuses, what holds it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.domain.instances import LOOK, Note, Verdict
from accounts.models import AuditEvent, Instance
from accounts.services.gate import STARTING, find_gate, open_gate
from accounts.services.instances import (
    take_charge,
)
from accounts.services.run_note import note_file, write_note
from tests.integration.accounts.deployments import (
    gate,
    note,
    other_home,
    some_time_later,
    start,
    started_once,
)
from tests.support.make import make_user

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


def test_the_first_start_of_an_empty_database_may_open_by_itself():
    beginning = start(has_orders=False)

    assert beginning.verdict == Verdict.FIRST_RUN
    assert beginning.last_sign_at is None
    assert gate().words.startswith(STARTING)
    assert not gate().is_held


def test_a_database_with_orders_that_nobody_is_known_to_have_run_is_held():
    assert start(has_orders=True).verdict == Verdict.NO_RECORD
    assert gate().is_held


def test_a_stop_and_a_start_are_known():
    started_once()
    charge = take_charge(wait_s=0)
    charge.pulse(now=timezone.now())
    charge.end(now=timezone.now())

    assert start().verdict == Verdict.KNOWN
    assert not gate().is_held


def test_a_start_after_a_crash_is_known_at_once():
    started_once()
    charge = take_charge(wait_s=0)
    charge.pulse(now=timezone.now())
    charge.lock.release()  # as the kernel does when the process is gone

    assert start().verdict == Verdict.KNOWN


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_start_cut_off_beside_its_commit_is_known_to_the_next_one(moment):
    started_once()
    before = note()
    if moment == "before":  # only the note of what follows was written
        write_note(Note(before.run, before.pulse, following=uuid4()))
    else:  # the database was written, the note not yet
        start()
        run = Instance.objects.get().run
        write_note(Note(before.run, before.pulse, following=run))

    assert start().verdict == Verdict.KNOWN


def test_a_pulse_cut_off_before_its_note_is_known():
    started_once()
    charge = take_charge(wait_s=0)
    before = note()
    charge.pulse(now=timezone.now())
    charge.lock.release()
    write_note(before)

    assert Instance.objects.get().pulse == before.pulse + 1
    assert start().verdict == Verdict.KNOWN


def test_a_backup_of_an_earlier_run_is_held():
    started_once()
    backup = Instance.objects.values().get()
    start()
    open_gate(now=timezone.now())
    Instance.objects.update(**backup)

    beginning = start()

    assert beginning.verdict == Verdict.OLDER_DATABASE
    assert gate().words == (
        f"This database is not the one that stopped here (a restored backup?). {LOOK}"
    )


def test_a_backup_of_the_same_run_is_held():
    started_once()
    charge = take_charge(wait_s=0)
    now = timezone.now()
    backup = Instance.objects.values().get()
    charge.pulse(now=now)
    charge.pulse(now=now + timedelta(seconds=10))
    charge.lock.release()
    Instance.objects.update(**backup)

    assert start().verdict == Verdict.OLDER_DATABASE


def test_a_backup_taken_before_a_stop_is_held():
    started_once()
    charge = take_charge(wait_s=0)
    charge.pulse(now=timezone.now())
    backup = Instance.objects.values().get()
    charge.end(now=timezone.now())
    Instance.objects.update(**backup)

    assert start().verdict == Verdict.OLDER_DATABASE


def test_another_host_is_held_though_the_whole_home_was_moved(settings):
    started_once()
    some_time_later()
    settings.HOST_NAME = "desk two"

    assert start().verdict == Verdict.OTHER_HOST
    assert "desk one, not desk two" in gate().words


def test_a_copy_of_database_and_home_in_another_folder_is_held(settings, tmp_path):
    started_once()
    Instance.objects.update(stopped_at=timezone.now())
    other_home(settings, tmp_path)

    assert start().verdict == Verdict.OTHER_HOME
    assert gate().is_held


def test_a_database_that_was_at_another_address_is_held():
    started_once()
    Instance.objects.update(database="postgresql://elsewhere:5432/tradeswim")

    assert start().verdict == Verdict.OTHER_DATABASE


@pytest.mark.parametrize("content", [None, "", "[]", '{"run": 7}', '{"run": "x", "pulse": 1}'])
def test_without_a_readable_note_a_database_with_orders_is_held(content):
    started_once()
    note_file().unlink()
    if content is not None:
        note_file().write_text(content)

    assert start().verdict == Verdict.NO_FILE
    assert gate().is_held


def test_the_note_alone_makes_no_database_known(settings):
    started_once()
    some_time_later()
    settings.HOST_NAME = "desk two"
    Instance.objects.update(run=note().run, pulse=note().pulse)

    assert start().verdict == Verdict.OTHER_HOST


def test_a_held_gate_stays_held_over_later_starts_until_an_agent_opens_it(settings):
    started_once()
    some_time_later()
    settings.HOST_NAME = "desk two"
    start()
    words = gate().words

    assert start().verdict == Verdict.KNOWN
    assert gate().words == words
    assert not open_gate(now=timezone.now())
    assert open_gate(now=timezone.now(), by=make_user(username="ann"))

    assert find_gate() is None
    trail = AuditEvent.objects.filter(subject="gate").order_by("id")
    assert trail.values_list("new", "reason", "actor").last() == ("OPEN", words, "ann")
    assert start().verdict == Verdict.KNOWN
    assert not gate().is_held


def test_every_start_and_stop_is_in_the_record(settings):
    started_once()
    charge = take_charge(wait_s=0)
    charge.end(now=timezone.now())
    settings.HOST_NAME = "desk two"
    start()

    trail = AuditEvent.objects.filter(subject="instance").order_by("id")
    assert list(trail.values_list("kind", "new")) == [
        ("start", "FIRST_RUN"),
        ("stop", ""),
        ("start", "OTHER_HOST"),
    ]


def test_a_start_that_was_never_finished_does_not_count_as_a_sign_of_life():
    started_once()
    ended = timezone.now() - timedelta(hours=8)
    Instance.objects.update(started_at=ended, pulsed_at=ended)

    assert start().last_sign_at == ended
    assert start().last_sign_at == ended


def test_words_for_the_agent_fit_the_place_they_are_shown_in(settings):
    settings.HOST_NAME = "h" * 120
    started_once()
    some_time_later()
    settings.HOST_NAME = "g" * 120
    start()

    assert gate().words.endswith(LOOK)
    assert len(gate().words) <= 200
