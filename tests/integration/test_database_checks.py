"""A database whose settings, open connection or rows are not safe for orders is refused."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from psycopg import IsolationLevel

from accounts.domain.words import Mode
from accounts.models import TradingMode
from orders.models import AccountOrder
from tests.support.checking import found, refused
from tests.support.make import make_mode
from tradeswim.settings.base import POSTGRESQL_OPTIONS, SQLITE_OPTIONS


@pytest.fixture
def other(django_db_setup, django_db_blocker) -> Iterator[Callable[..., str]]:
    """Describe one more database, like ours except for what is given; return its alias."""

    def describe(**told: object) -> str:
        ours = connections.settings["default"]
        name = connection.settings_dict["NAME"]
        connections.settings["other"] = {**ours, "NAME": name, **told}
        return "other"

    with django_db_blocker.unblock():
        yield describe
    if "other" in connections.settings:
        connections["other"].close()
        del connections["other"], connections.settings["other"]


@pytest.fixture
def sqlite(other: Callable[..., str], tmp_path: Path) -> Callable[..., str]:
    """The same for a SQLite database, whatever ours is."""

    def describe(*, pragma: str = "", **options: str | None) -> str:
        words = f"{SQLITE_OPTIONS['init_command']}{pragma}"
        told = {**SQLITE_OPTIONS, "init_command": words, **options}
        engine, path = "django.db.backends.sqlite3", str(tmp_path / "other.sqlite3")
        return other(ENGINE=engine, NAME=path, OPTIONS=told)

    return describe


# The other database is empty, which has a number of its own.
EMPTY = {"E070"}


@pytest.mark.parametrize(
    ("rule", "pragma"),
    [
        ("E030", "journal_mode=OFF"),
        ("E030", "journal_mode=MEMORY"),
        ("E031", "synchronous=NORMAL"),
        ("E031", "synchronous=OFF"),
        ("E032", "foreign_keys=OFF"),
        ("E033", "mmap_size=1048576"),
        ("E035", "busy_timeout=0"),
    ],
)
def test_sqlite_is_asked_what_is_in_force(sqlite, rule, pragma):
    assert refused(sqlite(pragma=f"PRAGMA {pragma};")) == {rule} | EMPTY


def test_sqlite_as_it_is_shipped_is_safe(sqlite):
    assert refused(sqlite()) == EMPTY


@pytest.mark.parametrize(
    ("version", "is_safe"), [((3, 40, 1), False), ((3, 51, 2), False), ((3, 51, 3), True)]
)
def test_wal_needs_an_sqlite_without_its_bug(sqlite, monkeypatch, version, is_safe):
    alias = sqlite(pragma="PRAGMA journal_mode=WAL;")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)

    assert refused(alias) == EMPTY if is_safe else {"E030"} | EMPTY


@pytest.mark.parametrize("mode", [None, "DEFERRED", "EXCLUSIVE"])
def test_sqlite_must_take_its_write_lock_at_once(sqlite, mode):
    sqlite(transaction_mode=mode)

    assert refused() == {"E034"}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("E050", {"ATOMIC_REQUESTS": True}),
        ("E051", {"AUTOCOMMIT": False}),
        ("E052", {"CONN_MAX_AGE": None}),
        ("E052", {"CONN_MAX_AGE": -1}),
        ("E052", {"CONN_MAX_AGE": 86400}),
    ],
)
def test_how_a_database_is_used(other, rule, told):
    other(**told)

    assert refused() == {rule}


def test_a_kept_connection_to_postgresql_is_tested(other):
    told = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}, "CONN_MAX_AGE": 60}
    other(CONN_HEALTH_CHECKS=False, **told)
    assert refused() == {"E052"}

    other(CONN_HEALTH_CHECKS=True, **told)
    del connections["other"]
    assert refused() == set()


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_another_isolation_than_the_claims_are_written_for(other, level):
    other(ENGINE="django.db.backends.postgresql", OPTIONS={"isolation_level": level})

    assert refused() == {"E044"}


@pytest.mark.parametrize(
    ("rule", "option"),
    [
        ("E040", "synchronous_commit=off"),
        ("E040", "synchronous_commit=local"),
        ("E043", "default_transaction_isolation=serializable"),
        ("E045", "lock_timeout=0"),
        ("E045", "statement_timeout=0"),
        ("E045", "idle_in_transaction_session_timeout=0"),
    ],
)
def test_postgresql_is_asked_what_is_in_force(other, rule, option):
    if connection.vendor != "postgresql":
        pytest.skip("runs with DATABASE_URL at a PostgreSQL")
    options = {"options": f"{POSTGRESQL_OPTIONS['options']} -c {option}"}

    assert refused(other(OPTIONS=options)) == {rule}


def test_a_database_that_lacks_a_migration(db):
    MigrationRecorder.Migration.objects.filter(app="orders").delete()

    assert refused("default") == {"E070"}


def test_a_database_that_is_newer_than_the_program(db):
    MigrationRecorder.Migration.objects.create(app="orders", name="9999_from_the_future")

    assert refused("default") == {"E071"}
    assert "orders.9999_from_the_future" in found("default")[0].msg


def test_an_app_that_was_removed_is_no_newer_program(db):
    MigrationRecorder.Migration.objects.create(app="sites", name="0001_initial")

    assert refused("default") == set()


def test_an_order_in_a_status_that_this_program_does_not_know(fleet):
    order = fleet.create(fleet.shares())
    assert refused("default") == set()

    AccountOrder.objects.filter(order=order).update(status="HALTED")

    assert refused("default") == {"E072"}
    assert "HALTED" in found("default")[0].msg


@pytest.mark.parametrize(
    ("rule", "words"), [("E073", {"mode": "HALTED"}), ("E074", {"scope": "DESK"})]
)
def test_a_mode_that_this_program_does_not_know(db, rule, words):
    mode = make_mode(Mode.OPEN)
    TradingMode.objects.filter(pk=mode.pk).update(**words)

    assert refused("default") == {rule}
