"""Share this process's counters, so that one page can show those of all processes."""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from typing import cast

import redis
from prometheus_client import REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from accounts.services.short_memory import short_memory

log = logging.getLogger(__name__)

KEY = "metrics"
# Shared as often; of a process that was silent for longer than STALE_S nothing is shown.
SHARE_EVERY_S = 15.0
STALE_S = 60.0

TASKS = Counter("tradeswim_tasks", "Tasks that ended, by how", ["task", "state"])
TASK_SECONDS = Histogram(
    "tradeswim_task_seconds",
    "How long tasks took",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30),
)
REQUESTS = Counter("tradeswim_requests", "Answered requests", ["view", "method", "status"])
REQUEST_SECONDS = Histogram(
    "tradeswim_request_seconds",
    "How long answers took",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


def share_metrics(process: str) -> None:
    """Put this process's counters where all processes have theirs."""
    text = generate_latest(REGISTRY).decode()
    try:
        short_memory().hset(KEY, f"{process} {os.getpid()}", f"{time.time()}\n{text}")
    except redis.RedisError as error:
        log.debug("counters are not shared: %s", type(error).__name__)


def shared_metrics() -> Iterator[Metric]:
    """Yield everybody's counters, each sample with its `process` and `pid`, one family a name.

    Errors: redis.RedisError.
    """
    families: dict[str, Metric] = {}
    for name, text in _fresh().items():
        process, _, pid = name.partition(" ")
        for family in text_string_to_metric_families(text):
            whole = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            for sample in family.samples:
                labels = {**sample.labels, "process": process, "pid": pid}
                whole.add_sample(sample.name, labels, sample.value)
    yield from families.values()


def _fresh() -> dict[str, str]:
    """Return what processes shared lately, and forget the others."""
    found = cast("Mapping[bytes, bytes]", short_memory().hgetall(KEY))
    young, old = {}, []
    for name, kept in found.items():
        at, _, text = kept.decode().partition("\n")
        if time.time() - float(at) <= STALE_S:
            young[name.decode()] = text
        else:
            old.append(name)
    if old:
        short_memory().hdel(KEY, *old)
    return young
