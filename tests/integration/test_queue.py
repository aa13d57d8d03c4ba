"""The task queue when Redis is away, silent or full: nobody waits long, nothing is rung twice."""

import time

import pytest

from accounts.tasks.queue import QueueDown, check_queue, enqueue
from orders.tasks import sync_stock_orders
from tests.support.redis_server import RedisServer, point_celery_to
from tests.support.tcp_proxy import Mode, TcpProxy


@pytest.fixture
def proxy(queue):
    """A wire to the queue's Redis, in good order at first."""
    with TcpProxy(queue.port) as made:
        point_celery_to(made.url(queue.url))
        yield made


@pytest.fixture
def own_redis(tmp_path):
    """A Redis of its own, for those who break it."""
    server = RedisServer(tmp_path)
    point_celery_to(server.url)
    yield server
    server.stop()


@pytest.fixture
def enqueue_now(django_capture_on_commit_callbacks):
    """Ring, as if the transaction had committed."""

    def ring() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            enqueue(sync_stock_orders)

    return ring


def refusal() -> str:
    with pytest.raises(QueueDown) as refused:
        check_queue()
    return str(refused.value)


def test_a_queue_that_hears_is_not_refused(proxy):
    check_queue()


def test_a_queue_that_is_away_is_refused_at_once(proxy):
    check_queue()
    proxy.set(Mode.REFUSE)

    began = time.monotonic()

    assert "does not answer" in refusal()
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("was_open", [True, False], ids=["open before", "never open"])
def test_a_silent_queue_is_refused_within_a_second_or_so(proxy, was_open):
    if was_open:
        check_queue()
    proxy.set(Mode.HOLE)

    began = time.monotonic()

    assert "does not answer" in refusal()
    assert 0.9 < time.monotonic() - began < 2


def test_after_a_silence_the_next_click_is_taken(proxy):
    proxy.set(Mode.HOLE)
    refusal()
    proxy.set(Mode.OK)

    check_queue()


def test_after_a_crash_of_redis_the_first_click_is_taken(own_redis):
    check_queue()
    own_redis.kill(lose_everything=True)
    refusal()
    own_redis.start()

    check_queue()


def test_a_message_outlives_a_crash_of_redis(own_redis):
    sync_stock_orders.apply_async()
    time.sleep(1.5)  # to the disk once a second
    own_redis.kill()
    own_redis.start()

    assert own_redis.messages("stocks") == 1


def test_a_wrong_password_is_said_to_be_one(queue):
    point_celery_to(queue.url.replace(":test@", ":wrong@"))

    assert "password" in refusal()


def test_a_full_queue_is_refused_although_it_answers(own_redis):
    own_redis.client.config_set("maxmemory", "1")

    assert own_redis.client.ping()
    assert "takes no messages" in refusal()


def test_a_queue_that_may_only_be_read_is_refused(own_redis):
    own_redis.client.replicaof("127.0.0.1", 1)

    assert own_redis.client.ping()
    assert "takes no messages" in refusal()


def test_a_message_whose_receipt_was_lost_is_queued_once(proxy, queue, db, caplog, enqueue_now):
    enqueue_now()
    queue.client.flushall()
    proxy.set(Mode.DROP_ONCE, only=b"LPUSH")

    enqueue_now()

    assert proxy.dropped == 1
    assert queue.messages("stocks") == 1
    assert "could not ring" in caplog.text


def test_a_lost_receipt_is_told_and_not_tried_again(proxy, queue):
    sync_stock_orders.apply_async()
    proxy.set(Mode.DROP_REPLY, only=b"LPUSH")

    with pytest.raises(Exception, match="closed"):
        sync_stock_orders.apply_async()

    assert proxy.dropped == 1
    assert queue.messages("stocks") == 2


def test_many_rings_wait_for_a_silent_queue_once(proxy, db, enqueue_now):
    proxy.set(Mode.HOLE)

    began = time.monotonic()
    for _ in range(20):
        enqueue_now()

    assert 1.5 < time.monotonic() - began < 4


def test_a_queue_that_is_heard_again_is_rung_again(proxy, queue, db, enqueue_now):
    proxy.set(Mode.HOLE)
    enqueue_now()
    proxy.set(Mode.OK)
    time.sleep(1.1)

    enqueue_now()

    assert queue.messages("stocks") == 1


@pytest.mark.parametrize("was_open", [True, False], ids=["open before", "never open"])
def test_ringing_at_a_queue_that_is_away_costs_nothing(proxy, db, enqueue_now, was_open):
    if was_open:
        enqueue_now()
    proxy.set(Mode.REFUSE)

    began = time.monotonic()
    for _ in range(5):
        enqueue_now()

    assert time.monotonic() - began < 0.5
