"""A worker in a thread of the test: it hears what waits in the queue's Redis, and does it."""

import base64
import json
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import redis
from celery import current_app
from django.db import connections

from accounts.domain import heartbeats
from tests.support.redis_server import RedisServer


@contextmanager
def working(queue: RedisServer, *, deaf_to: Collection[str] = ()) -> Iterator[None]:
    """Do what is rung for while the block lasts, except for the tasks of these names."""
    stop = threading.Event()

    def work() -> None:
        with redis.Redis.from_url(queue.url) as ears:
            while not stop.is_set():
                if heard := ears.brpop(list(heartbeats.QUEUES), timeout=0.2):
                    _do(json.loads(heard[1]), deaf_to)
        connections.close_all()

    thread = threading.Thread(target=work, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def _do(message: dict[str, object], deaf_to: Collection[str]) -> None:
    headers, body = message["headers"], base64.b64decode(str(message["body"]))
    assert isinstance(headers, dict)
    if headers["task"] not in deaf_to:
        _, arguments, _ = json.loads(body)
        current_app.tasks[headers["task"]].apply(kwargs=arguments, throw=True)
