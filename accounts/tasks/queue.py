"""The one way to ring a worker: on commit, and only while the queue can hear."""

import logging
import time
from typing import Any

import redis
from celery import Task, current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts.domain.refusals import NothingDone
from brokerage.impatient_redis import impatient_redis

log = logging.getLogger(__name__)

DOORBELL = "tradeswim.doorbell"
SILENCE_S = 1.0


class QueueDown(NothingDone):
    """The task queue does not answer; nothing may be promised that needs it."""


def enqueue(task: Task[Any, Any], **arguments: Any) -> None:
    """Ring for a task when the transaction commits; ids and plain words only.

    A message that cannot be published is logged and forgotten: the rows are the truth, and the
    sweeper rings again for what was missed.
    """
    transaction.on_commit(lambda: _publish(task, arguments))


def enqueue_named(name: str, **arguments: Any) -> None:
    """Ring for a task by its name, where importing it would go round in a circle."""
    enqueue(current_app.tasks[name], **arguments)


def check_queue(*, left: str = "sent") -> None:
    """Raise QueueDown, which says what was not done, unless Redis takes a write within a second.

    A write, because a Redis that is full, read-only or out of disk still answers a PING.
    """
    try:
        _doorbell().set(DOORBELL, 1, ex=60)
    except redis.AuthenticationError:
        problem = "refuses our password"
    except (redis.ConnectionError, redis.TimeoutError):
        problem = "does not answer"
    except redis.RedisError as error:
        problem = f"takes no messages ({type(error).__name__})"
    else:
        return
    raise QueueDown(
        f"The task queue (Redis) {problem}, so nothing was {left}. Try again soon."
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
    address, began = _address(), time.monotonic()
    if _silent_until.get(address, 0.0) > began:  # many rings do not wait one after the other
        log.warning("did not ring for %s: the queue was silent a moment ago", task.name)
        return
    try:
        task.apply_async(kwargs=arguments)
    except (OperationalError, OSError, redis.RedisError) as error:
        log.warning("could not ring for %s: %s", task.name, type(error).__name__)
        if time.monotonic() - began > SILENCE_S:
            _silent_until[address] = time.monotonic() + SILENCE_S


def _address() -> str:
    return str(current_app.conf.broker_url or settings.REDIS_URL)


_silent_until: dict[str, float] = {}


def _doorbell() -> redis.Redis:
    return impatient_redis(_address(), patience_s=1)
