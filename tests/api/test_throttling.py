"""Too many calls get a problem with a time to wait; a limiter that is down stops nobody."""

import pytest
import redis

from accounts.api.throttling import UserThrottle
from tests.api.caller import Caller, problem_of
from tests.support.raw_server import dead_port
from tests.support.tcp_proxy import Mode, TcpProxy

FREEZE = {"scope": "FLEET", "mode": "FROZEN", "why": "bad news"}


@pytest.fixture
def cached(queue, settings):
    """Counts in a real Redis that has counted nothing yet."""
    queue.client.flushall()
    settings.CACHE_URL = queue.url


def test_ten_reads_a_second_are_always_allowed(caller, cached):
    answers = [caller.get("orders/").status_code for _ in range(60)]

    assert answers == [200] * 60


def test_reads_and_acts_of_a_user_are_counted_apart_and_ways_out_apart_from_both(
    caller, viewer, cached, monkeypatch
):
    monkeypatch.setattr(
        UserThrottle, "THROTTLE_RATES", {"reads": "5/min", "acts": "3/min", "ways-out": "2/min"}
    )
    assert [caller.get("mode/").status_code for _ in range(6)] == [200] * 5 + [429]
    acts = [caller.post("sync/stocks/").status_code for _ in range(4)]
    assert acts == [202] * 3 + [429]
    refused = caller.order({})
    problem_of(refused, 429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 61
    ways_out = [caller.post("mode/", FREEZE).status_code for _ in range(3)]
    assert ways_out == [200] * 2 + [429]
    problem_of(caller.post("orders/1/cancel/"), 429, "throttled")
    assert viewer.get("mode/").status_code == 200


def test_the_rates_allow_more_than_ten_reads_a_second(settings):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]

    assert set(rates) == {"reads", "acts", "ways-out", "sign-in", "hook", "hook-address"}
    assert rates["reads"] == "1800/min"


def test_sign_ins_are_limited_whatever_address_they_claim(db, cached):
    answers = []
    for number in range(130):
        caller = Caller()
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        answers.append(caller.post("auth/token/", {}, **headers))

    statuses = [answer.status_code for answer in answers]
    assert statuses[:60] == [400] * 60
    assert 429 in statuses
    refused = answers[statuses.index(429)]
    problem_of(refused, 429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 61


def test_a_limiter_that_is_down_stops_nobody(caller, settings):
    settings.CACHE_URL = f"redis://127.0.0.1:{dead_port()}/0"

    assert caller.get("orders/").status_code == 200


def test_a_call_is_counted_once_although_the_answer_is_lost(queue, settings):
    queue.client.flushall()
    with TcpProxy(queue.port) as proxy:
        settings.CACHE_URL = proxy.url(queue.url)
        throttle = UserThrottle()
        assert throttle.count("calls") == 1
        proxy.set(Mode.DROP_ONCE, only=b"INCR")

        with pytest.raises(redis.ConnectionError):
            throttle.count("calls")

    assert proxy.dropped == 1
    assert queue.client.get("calls") == b"2"
    assert 0 < queue.client.ttl("calls") <= 60
