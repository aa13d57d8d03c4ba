"""Messages are only nudges: repeated, late, lost or refused, they change nothing but the timing."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import redis

from tests.faults.installation import wait_until

SETTINGS = {"DEMO_ACCOUNTS": "6"}
DEADLINE_S, WORKER_ASKS_S = 5, 1.5
QUEUE = "placement"


@pytest.fixture(scope="module")
def queue(installation, trader):
    with redis.Redis.from_url(installation.redis_url()) as client:
        yield client


def test_two_clicks_at_once_with_one_key_are_one_broadcast(trader, holds):
    """F1."""
    ticket, click = trader.ticket(), str(uuid4())
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: trader.click(ticket, click), range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    order = answers[0].json()["id"]
    trader.wait_for(order, "FILLED")
    assert len(trader.orders_like(order)) == 6
    holds(order)


def test_the_same_key_with_another_limit_is_refused(trader, holds):
    """F2."""
    first, second, click = trader.ticket(), trader.ticket(), str(uuid4())
    order = trader.click(first, click).json()["id"]

    assert trader.click(second, click).status_code == 409
    trader.wait_for(order, "FILLED")
    holds(order)


def test_a_message_delivered_eleven_times_places_each_order_once(
    installation, trader, queue, holds
):
    """F6, F7."""
    with installation.stopped("placement"):
        time.sleep(WORKER_ASKS_S)
        order = trader.broadcast()
        (message,) = queue.lrange(QUEUE, 0, -1)
        for _ in range(10):
            queue.lpush(QUEUE, message)

    trader.wait_for(order, "FILLED")
    wait_until(lambda: queue.llen(QUEUE) == 0)
    assert len(trader.orders_like(order)) == 6
    holds(order)


def test_a_message_that_comes_after_the_deadline_sends_nothing(installation, trader, queue, holds):
    """F8."""
    with installation.stopped("placement"):
        time.sleep(WORKER_ASKS_S)
        order = trader.broadcast()
        shares = trader.wait_for(order, "FAILED_TO_PLACE", seconds=DEADLINE_S + 10)
        assert queue.llen(QUEUE) > 0

    wait_until(lambda: queue.llen(QUEUE) == 0)
    assert {share["reason_code"] for share in shares} == {"STALE_UNSENT"}
    assert trader.orders_like(order) == []
    holds(order)


def test_a_message_that_was_lost_is_rung_again_in_time(installation, trader, queue, holds):
    """F3, F39: everything in Redis is forgotten between the click and the worker."""
    with installation.stopped("placement"):
        time.sleep(WORKER_ASKS_S)
        order = trader.broadcast()
        queue.flushall()

    trader.wait_for(order, "FILLED", seconds=10)
    assert len(trader.orders_like(order)) == 6
    holds(order)


def test_a_click_while_redis_is_full_is_sent_by_the_sweeper_or_told_to_have_failed(
    trader, queue, holds
):
    """F38."""
    queue.config_set("maxmemory", 1)
    answer = trader.click(trader.ticket())
    time.sleep(1)
    queue.config_set("maxmemory", 0)

    assert answer.status_code in (201, 503), answer.text
    if answer.status_code == 201:
        order = answer.json()["id"]
        trader.wait_for(order, "FILLED", "FAILED_TO_PLACE")
        holds(order)
