"""A click while Redis, queue and cache in one, is away, silent, full or locked, is refused soon."""

import time

import pytest

from tests.api.caller import assert_nothing_written, problem_of, shares
from tests.support.redis_server import RedisServer, point_celery_to
from tests.support.tcp_proxy import Mode, TcpProxy


@pytest.fixture
def click(caller, accounts, queue, settings):
    """Click while all that is kept in Redis is at this address; return how long the answer took."""

    def click_at(address: str) -> float:
        settings.CACHE_URL = address
        point_celery_to(address)
        began = time.monotonic()
        answer = caller.order(shares())
        took = time.monotonic() - began
        problem_of(answer, 503, "queue_down")
        assert_nothing_written()
        return took

    return click_at


def test_redis_is_away(click, queue):
    with TcpProxy(queue.port) as proxy:
        proxy.set(Mode.REFUSE)

        assert click(proxy.url(queue.url)) < 1


def test_redis_is_silent(click, queue):
    with TcpProxy(queue.port) as proxy:
        proxy.set(Mode.HOLE)

        assert click(proxy.url(queue.url)) < 2.5


def test_redis_is_full(click, tmp_path):
    server = RedisServer(tmp_path)
    server.client.config_set("maxmemory", "1")

    assert click(server.url) < 1

    server.stop()


def test_our_password_is_wrong(click, queue):
    assert click(queue.url.replace(":test@", ":wrong@")) < 1
