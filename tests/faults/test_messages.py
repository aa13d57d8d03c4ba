"""Messages are only nudges: repeated, late, lost or refused, they change nothing but the timing."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.faults.installation import HURRIED, Installation, wait_until
from tests.support.redis_server import RedisServer
from tests.support.tcp_proxy import Mode, TcpProxy

ACCOUNTS = 6
DEADLINE_S, WORKER_ASKS_S = 5, 1.5
AT_ONCE_S, SILENCE_S, BACK_WITHIN_S = 3, 30, 10
QUEUE = "placement"
PLACES = b"orders.place_account_orders"


@pytest.fixture(scope="module")
def wired(tmp_path_factory) -> Iterator[tuple[Installation, RedisServer, TcpProxy]]:
    """An installation whose Redis is behind a wire that can be cut."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    with TcpProxy(server.port) as wire:
        installation = Installation(
            tmp_path_factory.mktemp("faults") / "home",
            settings={**HURRIED, "DEMO_ACCOUNTS": "6", "REDIS_URL": wire.url(server.url)},
        )
        yield installation, server, wire
        installation.end()
    server.stop()


@pytest.fixture(scope="module")
def installation(wired) -> Installation:
    own: Installation = wired[0]
    return own


@pytest.fixture
def server(wired) -> RedisServer:
    own: RedisServer = wired[1]
    return own


@pytest.fixture
def queue(server):
    return server.client


@pytest.fixture
def wire(wired) -> TcpProxy:
    own: TcpProxy = wired[2]
    return own


def test_two_clicks_at_once_with_one_key_are_one_broadcast(trader, holds):
    """F1."""
    ticket, click = trader.ticket(), str(uuid4())
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: trader.click(ticket, click), range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    order = answers[0].json()["id"]
    trader.wait_for(order, "FILLED")
    assert len(trader.orders_like(order)) == ACCOUNTS
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
        # A sign of life may lie there too.
        (message,) = (one for one in queue.lrange(QUEUE, 0, -1) if PLACES in one)
        for _ in range(10):
            queue.lpush(QUEUE, message)

    trader.wait_for(order, "FILLED")
    wait_until(lambda: queue.llen(QUEUE) == 0)
    assert len(trader.orders_like(order)) == ACCOUNTS
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
    assert len(trader.orders_like(order)) == ACCOUNTS
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


def test_a_message_that_was_queued_though_the_click_was_told_otherwise_is_sent_once(
    trader, wire, holds
):
    """F5."""
    wire.set(Mode.DROP_REPLY, only=b"LPUSH")
    order = trader.broadcast()
    time.sleep(0.5)
    assert wire.dropped
    wire.set(Mode.OK)

    trader.wait_for(order, "FILLED")
    assert len(trader.orders_like(order)) == ACCOUNTS
    holds(order)


def test_redis_dies_with_everything_in_it_while_the_orders_are_on_their_way(trader, server, holds):
    """F36."""
    seen = trader.last_request()
    trader.slow_down(ACCOUNTS, 1500)
    order = trader.broadcast()
    wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 10, every=0.02)
    server.kill(lose_everything=True)
    time.sleep(1)
    server.start()

    trader.wait_for(order, "FILLED")
    assert len(trader.orders_like(order)) == ACCOUNTS
    assert _seconds_until_filled(trader) < BACK_WITHIN_S
    holds(order)


def test_a_click_while_redis_is_down_is_refused_at_once_and_nothing_is_written(
    installation, trader, wire, holds
):
    """F37: and it is taken as soon as Redis is back."""
    before = _orders(installation)
    wire.set(Mode.REFUSE)
    began = time.monotonic()
    answer = trader.click(trader.ticket())
    took_s = time.monotonic() - began
    wire.set(Mode.OK)

    assert answer.status_code == 503, answer.text
    assert took_s < AT_ONCE_S
    assert _orders(installation) == before
    assert _seconds_until_filled(trader) < BACK_WITHIN_S
    holds()


def test_redis_says_nothing_for_half_a_minute_while_orders_are_on_their_way(
    installation, trader, wire, holds
):
    """F37."""
    seen = trader.last_request()
    trader.slow_down(ACCOUNTS, 1500)
    order = trader.broadcast()
    wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 10, every=0.02)
    before, began = _orders(installation), time.monotonic()
    wire.set(Mode.HOLE)
    answer = trader.click(trader.ticket())
    refused_after_s = time.monotonic() - began
    time.sleep(SILENCE_S - refused_after_s)
    wire.set(Mode.OK)

    assert _seconds_until_filled(trader) < BACK_WITHIN_S
    assert (answer.status_code, _orders(installation)) == (503, before + 1)
    assert refused_after_s < AT_ONCE_S
    trader.wait_for(order, "FILLED")
    assert len(trader.orders_like(order)) == ACCOUNTS
    holds(order)


def _orders(installation) -> int:
    """Return how many broadcasts are on record."""
    (row,) = installation.database.rows("SELECT count(*) AS count FROM orders_complexorder")
    return int(row["count"])


def _seconds_until_filled(trader) -> float:
    """Click until a click is taken; return how long it took until all its orders were filled."""
    began, ticket, click = time.monotonic(), trader.ticket(), str(uuid4())
    wait_until(lambda: trader.click(ticket, click).status_code in (200, 201))
    trader.wait_for(trader.click(ticket, click).json()["id"], "FILLED")
    return time.monotonic() - began
