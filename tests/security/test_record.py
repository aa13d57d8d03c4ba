"""The record cannot be changed; and who could after all is found out at the very row."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import Alarm, AuditEvent, AuditSeal
from accounts.services.audit import event, record
from accounts.services.sealing import check_sealing, seal_events, verify_chain

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=1)


def write(count: int, **fields) -> list[AuditEvent]:
    events = [
        event(f"thing:{number}", "changed", at=timezone.now(), data={"n": number}, **fields)
        for number in range(count)
    ]
    record(events)
    return events


def seal() -> int:
    return seal_events(now=timezone.now() + LATER)


@pytest.fixture
def protected(db):
    """The triggers of the migration; what a test creates is rolled back with it."""
    # The editor wants to begin the transaction itself: its statements are run in ours.
    migration = import_module("accounts.migrations.0008_sealed_record")

    class Editor:
        def __init__(self) -> None:
            self.connection = connection

        def execute(self, sql: str) -> None:
            with connection.cursor() as cursor:
                cursor.execute(sql)

    migration.protect(None, Editor())


@pytest.mark.parametrize("model", [AuditEvent, AuditSeal])
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_remove_a_row(protected, model, verb):
    write(1)
    seal()
    column = "digest" if model is AuditSeal else "kind"
    table = model._meta.db_table
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(verb.format(table, column, "'x'"))
    assert model.objects.count() == 1


def test_a_chain_that_nobody_touched_holds():
    write(5)
    assert seal() == 5
    write(3)
    assert seal() == 3

    verdict = verify_chain()

    assert (verdict.broken, verdict.links, verdict.unsealed) == (None, 8, 0)
    assert AuditSeal.objects.get(number=8).digest == verdict.head


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "another"},
        {"actor": "somebody else"},
        {"data": {"n": 99}},
        {"old": "A", "new": "B"},
        {"at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"subject": "thing:0"},
        {"address": "10.0.0.1"},
    ],
    ids=str,
)
def test_a_changed_event_is_named(change):
    events = write(9)
    seal()
    AuditEvent.objects.filter(pk=events[4].pk).update(**change)

    broken = verify_chain().broken

    assert broken is not None
    assert (broken.number, broken.event_id) == (5, events[4].pk)


def test_a_removed_event_is_named():
    events = write(9)
    seal()
    with connection.constraint_checks_disabled():
        AuditSeal.objects.filter(event_id=events[6].pk).delete()
        AuditEvent.objects.filter(pk=events[6].pk).delete()

    broken = verify_chain().broken

    assert broken is not None
    assert (broken.number, broken.words) == (7, "A link is missing here.")


def test_an_event_taken_out_under_its_seal_is_named(db):
    """Whoever owns the database can take its keys and triggers away; the chain still tells."""
    events = write(5)
    seal()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute("DELETE FROM accounts_auditevent WHERE id = %s", [events[2].pk])

    broken = verify_chain().broken

    assert broken is not None
    assert (broken.number, broken.event_id) == (3, events[2].pk)
    assert broken.words == "Its event is gone."
    restore(events[2])


def restore(gone: AuditEvent) -> None:
    """Put it back, for tests end with their foreign keys whole; the chain holds again."""
    AuditEvent.objects.bulk_create([gone])
    assert verify_chain().broken is None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
def test_the_table_is_not_emptied_at_once_either(protected):
    write(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute("TRUNCATE accounts_auditevent CASCADE")
    assert AuditEvent.objects.count() == 1


def test_a_link_written_anew_without_the_key_is_named():
    events = write(3)
    seal()
    AuditEvent.objects.filter(pk=events[1].pk).update(reason="never happened")
    AuditSeal.objects.filter(number=2).update(digest="a" * 64)
    broken = verify_chain().broken
    assert broken is not None
    assert broken.number == 2


def test_the_command_names_the_row_and_fails():
    events = write(4)
    seal()
    said = StringIO()
    call_command("verify_audit", stdout=said)
    assert "4 links hold" in said.getvalue()

    AuditEvent.objects.filter(pk=events[2].pk).update(kind="x")
    with pytest.raises(CommandError, match=f"broken at link 3, event {events[2].pk}"):
        call_command("verify_audit")


def test_events_of_this_moment_wait_and_a_second_sealer_adds_nothing():
    write(2)
    assert seal_events(now=timezone.now()) == 0
    assert seal() == 2
    assert seal() == 0


def test_events_that_wait_for_long_raise_an_alarm_once():
    write(1)
    now = timezone.now()
    assert check_sealing(now=now)
    assert not check_sealing(now=now + timedelta(minutes=6))
    assert not check_sealing(now=now + timedelta(minutes=7))
    assert Alarm.objects.get().code == "AUDIT_NOT_SEALED"


def test_what_a_page_does_is_recorded_with_its_request(client, django_user_model):
    user = django_user_model.objects.create_user("agent", password="a long password", role="AGENT")
    client.force_login(user)

    answer = client.post("/settings/", {"density": "ROOMY"}, REMOTE_ADDR="192.0.2.7")

    written = AuditEvent.objects.latest("pk")
    assert written.request_id == answer["X-Request-Id"]
    assert written.address == "192.0.2.7"
    assert len(written.session) == 12
    assert client.cookies["sessionid"].value.startswith(written.session) is False


def test_what_no_request_did_names_none():
    (written,) = write(1)
    assert (written.request_id, written.address, written.session) == ("", "", "")
