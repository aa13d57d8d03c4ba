"""The proxy that faults are made with does what its modes say."""

import time

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.tcp_proxy import Mode, TcpProxy


@pytest.fixture
def proxy(redis_server):
    redis_server.client.flushall()
    with TcpProxy(redis_server.port) as made:
        yield made


@pytest.fixture
def client(proxy, redis_server):
    with redis.Redis.from_url(
        proxy.url(redis_server.url), retry=Retry(NoBackoff(), 0), socket_timeout=0.5
    ) as made:
        yield made


def test_everything_passes_at_first(client, proxy):
    client.set("name", "x" * 1_000_000)

    assert client.get("name") == b"x" * 1_000_000
    assert proxy.connections == 1


def test_a_hole_swallows_and_keeps_the_connection_open(client, proxy, redis_server):
    client.ping()
    proxy.set(Mode.HOLE)

    with pytest.raises(redis.TimeoutError):
        client.set("name", "lost")

    proxy.set(Mode.OK)
    assert redis_server.client.get("name") is None
    assert proxy.swallowed > 0
    assert client.ping()


def test_a_dropped_reply_belongs_to_a_request_that_arrived(client, proxy, redis_server):
    proxy.set(Mode.DROP_ONCE, only=b"INCR")
    client.ping()

    with pytest.raises(redis.ConnectionError):
        client.incr("count")

    assert redis_server.client.get("count") == b"1"
    assert client.incr("count") == 2
    assert proxy.dropped == 1


def test_replies_are_dropped_until_the_mode_changes(client, proxy, redis_server):
    client.ping()
    proxy.set(Mode.DROP_REPLY, only=b"INCR")

    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.incr("count")

    assert redis_server.client.get("count") == b"2"


def test_slow_adds_its_delay_in_both_directions(client, proxy):
    client.ping()
    proxy.set(Mode.SLOW, delay_s=0.1)

    began = time.monotonic()
    client.ping()

    assert 0.2 <= time.monotonic() - began < 0.45


def test_refusing_breaks_old_connections_and_takes_no_new_ones(client, proxy):
    client.ping()
    proxy.set(Mode.REFUSE)

    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.ping()

    proxy.set(Mode.OK)
    assert client.ping()


def test_a_dead_target_breaks_the_connection():
    with TcpProxy(target_port=1) as nowhere:
        dead = redis.Redis(port=nowhere.port, retry=Retry(NoBackoff(), 0))

        with pytest.raises(redis.ConnectionError):
            dead.ping()
