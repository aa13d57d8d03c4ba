"""Every setting, server or row with which an order is not safe is refused by its number."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from psycopg import IsolationLevel
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.domain.words import Mode
from accounts.models import TradingMode
from orders.models import AccountOrder
from orders.tasks import place_account_orders
from tests.support.make import make_mode
from tradeswim.celery import app
from tradeswim.settings.base import POSTGRESQL_OPTIONS, SQLITE_OPTIONS


def found(*databases: str) -> list[CheckMessage]:
    return run_checks(
        tags=["tradeswim"], include_deployment_checks=True, databases=list(databases) or None
    )


def refused(*databases: str) -> set[str]:
    return {str(message.id).removeprefix("tradeswim.") for message in found(*databases)}


def test_the_settings_and_the_database_of_these_tests_are_safe(db):
    assert found("default") == []


@pytest.fixture
def real(settings):
    """Settings as a host has them that is not for tests."""
    settings.IS_TEST = False
    settings.REDIS_URL = app.conf.broker_url


@pytest.mark.parametrize(
    ("rule", "name", "value"),
    [
        ("E001", "task_always_eager", True),
        ("E002", "result_backend", "redis://127.0.0.1/1"),
        ("E003", "task_ignore_result", False),
        ("E004", "task_acks_late", True),
        ("E005", "task_reject_on_worker_lost", True),
        ("E006", "task_publish_retry", True),
        ("E007", "accept_content", ["json", "pickle"]),
        ("E007", "result_accept_content", ["pickle"]),
        ("E007", "task_serializer", "pickle"),
        ("E008", "broker_transport_options", {}),
        ("E009", "broker_connection_max_retries", 100),
        ("E009", "broker_connection_retry", False),
        ("E009", "broker_connection_retry_on_startup", False),
        ("E010", "worker_cancel_long_running_tasks_on_connection_loss", True),
        ("E011", "broker_url", "redis://elsewhere/0"),
        ("E011", "broker_read_url", "redis://elsewhere/0"),
        ("E011", "broker_write_url", "redis://elsewhere/0"),
    ],
)
def test_celery(real, monkeypatch, rule, name, value):
    assert refused() == set()

    monkeypatch.setitem(app.conf, name, value)

    assert refused() == {rule}


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("E002", "CELERY_RESULT_BACKEND"),
        ("E011", "CELERY_BROKER_URL"),
        ("E011", "CELERY_BROKER_READ_URL"),
        ("E011", "CELERY_BROKER_WRITE_URL"),
    ],
)
def test_a_variable_that_celery_reads_by_itself(real, monkeypatch, rule, name):
    monkeypatch.setenv(name, "redis://elsewhere/0")

    assert refused() == {rule}


@pytest.mark.parametrize(
    ("rule", "name"), [("E004", "acks_late"), ("E005", "reject_on_worker_lost")]
)
def test_a_task_that_goes_its_own_way(monkeypatch, rule, name):
    monkeypatch.setattr(place_account_orders, name, True)

    assert refused() == {rule}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("socket_timeout", None),
        ("socket_timeout", 0),
        ("socket_timeout", 60),
        ("socket_connect_timeout", None),
        ("health_check_interval", None),
        ("health_check_interval", 25),
        ("retry_on_timeout", True),
        ("max_retries", None),
        ("max_retries", 3),
        ("visibility_timeout", None),
        ("visibility_timeout", 15),
    ],
)
def test_the_connection_to_the_queue(monkeypatch, name, value):
    options = {**app.conf.broker_transport_options, name: value}
    monkeypatch.setitem(app.conf, "broker_transport_options", options)

    assert refused() == {"E008"}


@pytest.mark.parametrize("kind", ["locmem.LocMemCache", "dummy.DummyCache", "db.DatabaseCache"])
def test_a_cache_that_is_not_in_redis(real, settings, kind):
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{kind}"}}

    assert refused() == {"E020"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retry", None),
        ("retry", Retry(NoBackoff(), 1)),
        ("socket_timeout", None),
        ("socket_connect_timeout", 30),
    ],
    ids=["default", "once more", "no time-out", "long time-out"],
)
def test_a_cache_that_repeats_or_waits(settings, name, value):
    cache = settings.CACHES["default"]
    settings.CACHES = {"default": {**cache, "OPTIONS": {**cache["OPTIONS"], name: value}}}

    assert refused() == {"E021"}


def test_production_is_warned_of_one_redis_for_everything(settings):
    settings.IS_PRODUCTION = True
    settings.REDIS_URL = "redis://:secret@redis.example:6379/0"
    settings.CACHE_URL = "redis://redis.example/1"
    assert refused() == {"W022"}
    assert [message.is_serious() for message in found()] == [False]

    settings.CACHE_URL = "redis://redis.example:6380/0"
    assert refused() == set()


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("E060", {"BROKER_TIMEOUT_S": 15.0}),
        ("E061", {"CLAIM_LEASE_S": 60}),
        ("E062", {"ENVIRONMENT": "LIVE", "IS_TEST": False, "QUIET_PERIOD_S": 59}),
        ("E063", {"ENVIRONMENT": "LIVE", "IS_TEST": False, "ABSENCE_READS": 2}),
        ("E064", {"ENVIRONMENT": "LIVE", "IS_TEST": False, "READY_DEADLINE_S": 16}),
        ("E065", {"ENVIRONMENT": "LIVE", "IS_TEST": False, "DEBUG": True}),
        ("E065", {"IS_PRODUCTION": True, "DEBUG": True, "CACHE_URL": "redis://other/0"}),
        ("E066", {"ENVIRONMENT": "LIVE"}),
    ],
)
def test_numbers_and_what_live_forbids(real, settings, rule, values):
    settings.IS_TEST = True
    for name, value in values.items():
        setattr(settings, name, value)

    assert refused() == {rule}


def test_paper_may_hurry(settings):
    settings.QUIET_PERIOD_S, settings.CLAIM_LEASE_S, settings.BROKER_TIMEOUT_S = 6, 4, 2.0
    settings.ABSENCE_READS, settings.DEBUG = 2, True

    assert refused() == set()


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
