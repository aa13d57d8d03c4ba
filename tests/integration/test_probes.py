"""What watches this installation: alive, ready, and the numbers, for this machine alone."""

import time

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import UptimeDay
from accounts.services import heartbeats, metering
from accounts.services.gate import close_gate
from accounts.services.short_memory import short_memory

pytestmark = pytest.mark.django_db(transaction=True)
PROBES = ("/healthz/live", "/healthz/ready", "/metrics")


@pytest.fixture(autouse=True)
def _redis(settings, queue):
    settings.CACHE_URL = settings.REDIS_URL = queue.url
    short_memory().delete(heartbeats.KEY, metering.KEY)


@pytest.fixture
def everybody():
    for name in heartbeats.expected(has_streams=True):
        heartbeats.say_alive(name)


def numbers() -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    text = Client().get("/metrics").content.decode()
    return {
        sample.name: {tuple(sorted(one.labels.items())): one.value for one in family.samples}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_alive_is_answered_without_the_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/healthz/live")

    assert (answer.status_code, answer.content) == (200, b"alive\n")


def test_ready_needs_everything_that_placing_needs(everybody):
    assert Client().get("/healthz/ready").json()["ready"] is True

    short_memory().hset(heartbeats.KEY, "sweeper", str(time.time() - 16))
    answer = Client().get("/healthz/ready")

    assert answer.status_code == 503
    assert answer.json()["missing"] == ["sweeper"]
    assert answer.json()["parts"]["sweeper"] == "last sign of life 16 s ago"


def test_ready_writes_and_takes_it_back(everybody):
    answer = Client().get("/healthz/ready").json()

    assert answer["parts"]["Database"] == "takes writes"
    assert not UptimeDay.objects.exists()


def test_not_ready_while_the_gate_is_closed(everybody):
    close_gate("A restored database.", now=timezone.now())

    assert Client().get("/healthz/ready").json()["parts"]["Gate"] == "A restored database."


def test_not_ready_without_the_queue(everybody, settings, queue):
    queue.kill()
    try:
        found = Client().get("/healthz/ready").json()
    finally:
        queue.start()

    assert {"Queue (Redis)", "placement", "sweeper"} <= set(found["missing"])


@pytest.mark.parametrize("address", PROBES)
@pytest.mark.parametrize(
    "where",
    [
        {"REMOTE_ADDR": "10.0.0.9"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"REMOTE_ADDR": "nonsense"},
    ],
)
def test_strangers_are_told_that_there_is_no_such_page(address, where):
    answer = Client().get(address, **where)

    assert (answer.status_code, answer.content) == (404, b"")
    assert answer["Cache-Control"] == "no-store"


def test_a_probe_is_answered_whatever_host_it_names():
    assert Client().get("/healthz/live", HTTP_HOST="10.1.2.3").status_code == 200


def test_numbers_of_rows_and_of_processes_are_shown_together(fleet, everybody):
    fleet.broadcast(fleet.shares(3))
    Client().get("/sign-in/")
    metering.share_metrics("web")
    metering.share_metrics("placement")

    found = numbers()

    assert found["tradeswim_accounts_active"][()] == len(fleet.accounts)
    assert found["tradeswim_logins"][(("status", "CONNECTED"),)] == len(fleet.logins)
    posts = [
        (dict(labels)["process"], value)
        for labels, value in found["tradeswim_broker_calls_total"].items()
        if dict(labels).get("method") == "POST" and dict(labels)["outcome"] == "201"
    ]
    assert {process for process, _ in posts} == {"web", "placement"}
    assert min(value for _, value in posts) >= len(fleet.accounts)
    assert ("view", "sign-in") in {
        pair for labels in found["tradeswim_requests_total"] for pair in labels
    }


def test_a_stranger_makes_no_numbers_of_his_own():
    for number in range(3):
        Client().generic(f"INVENTED{number}", "/sign-in/")

    assert b"INVENTED" not in generate_latest(REGISTRY)


def test_counters_of_a_process_that_is_gone_are_forgotten():
    short_memory().hset(metering.KEY, "maint 1", f"{time.time() - 61}\nlong_gone 1\n")

    assert "long_gone" not in Client().get("/metrics").content.decode()
    assert not short_memory().hexists(metering.KEY, "maint 1")


def test_without_a_cache_the_rows_still_speak(settings, fleet):
    settings.CACHE_URL = "redis://127.0.0.1:1/0"

    assert numbers()["tradeswim_accounts_active"][()] == len(fleet.accounts)


def test_no_number_names_an_account_or_a_secret(fleet):
    fleet.broadcast(fleet.shares(3))
    metering.share_metrics("web")

    text = Client().get("/metrics").content.decode()

    for account in fleet.accounts:
        assert account.alias not in text
        assert account.hash_value not in text
        assert account.number.open() not in text
