"""Every setting of the queue or of numbers with which an order is not safe is refused by number."""

import pytest

from orders.tasks import place_account_orders
from tests.support.checking import found, refused
from tradeswim.celery import app


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
