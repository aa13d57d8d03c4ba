"""The one way to ring a worker: on commit, and only while the queue can hear."""

import logging
from typing import Any

import redis
from celery import Task, current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)


class QueueDown(Exception):
    """The task queue does not answer; nothing may be promised that needs it."""


def enqueue(task: Task[Any, Any], **arguments: Any) -> None:
    """Ring for a task when the transaction commits; ids and plain words only.

    A message that cannot be published is logged and forgotten: the rows are the truth, and the
    sweeper rings again for what was missed.
    """
    transaction.on_commit(lambda: _publish(task, arguments))


def check_queue() -> None:
    """Raise QueueDown unless the broker Redis answers within a second."""
    try:
        _doorbell().ping()
    except redis.RedisError:
        raise QueueDown(
            "The task queue (Redis) does not answer, so nothing was sent. Try again soon."
        ) from None


def open_queue() -> None:
    """Connect to the queue ahead of time, so that the first click does not pay for it.

    It does not fail: what cannot be opened now is opened by the first ring.
    """
    try:
        check_queue()
        with current_app.producer_pool.acquire(block=True) as producer:
            log.debug("the queue is open: %s", bool(producer.channel))  # asking opens it
    except (QueueDown, OperationalError, OSError, redis.RedisError) as error:
        log.warning("the queue is not open yet: %s", type(error).__name__)


def _publish(task: Task[Any, Any], arguments: dict[str, Any]) -> None:
    try:
        task.apply_async(kwargs=arguments)
    except (OperationalError, OSError, redis.RedisError) as error:
        log.warning("could not ring for %s: %s", task.name, type(error).__name__)


_clients: dict[str, redis.Redis] = {}


def _doorbell() -> redis.Redis:
    address = str(current_app.conf.broker_url or settings.REDIS_URL)
    if address not in _clients:
        _clients[address] = redis.Redis.from_url(
            address, retry=Retry(NoBackoff(), 0), socket_timeout=1, socket_connect_timeout=1
        )
    return _clients[address]
