"""Signs of life of processes and queues: in the cache Redis while they are young."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import cast

import redis

from accounts.domain.heartbeats import PROCESS_EVERY_S, PROCESSES, QUEUES, queue_name
from accounts.services.metering import SHARE_EVERY_S, share_metrics
from accounts.services.short_memory import short_memory

log = logging.getLogger(__name__)

KEY = "heartbeats"
WITHOUT_STREAMS = "stream"


def say_alive(name: str) -> None:
    """Give one sign of life. A cache that is away loses it: then nobody knows."""
    try:
        short_memory().hset(KEY, name, str(time.time()))
    except redis.RedisError as error:
        log.debug("no sign of life of %s: %s", name, type(error).__name__)


def keep_saying_alive(name: str | None = None) -> None:
    """Give signs of life from here on, by a thread that ends with the process.

    Args:
        name: of the process; without one, the name it was started under, if any.
    """
    name = name or os.environ.get("TRADESWIM_PROCESS")
    if name:
        threading.Thread(target=_go_on, args=(name,), name="heartbeat", daemon=True).start()


def heartbeats() -> dict[str, float]:
    """Return when each name last gave a sign of life, Unix time. Errors: redis.RedisError."""
    found = cast("Mapping[bytes, bytes]", short_memory().hgetall(KEY))
    return {name.decode(): float(at) for name, at in found.items()}


def expected(*, has_streams: bool) -> list[str]:
    """Name everything that must give signs of life."""
    processes = [name for name in PROCESSES if has_streams or name != WITHOUT_STREAMS]
    return [*processes, *map(queue_name, QUEUES)]


def _go_on(name: str) -> None:
    share_at = 0.0
    while True:
        say_alive(name)
        if time.monotonic() >= share_at:
            share_at = time.monotonic() + SHARE_EVERY_S
            share_metrics(name)
        time.sleep(PROCESS_EVERY_S)
