"""All numbers of the installation in the text format of Prometheus."""

from collections.abc import Iterator
from datetime import datetime

import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from accounts.services.metering import shared_metrics
from orders.selectors.gauges import WORDS, gauges

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Everything:
    """What rows say, and what all processes count."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from _rows(self._now)
        try:
            yield from shared_metrics()
        except redis.RedisError:
            return  # what rows say is worth more than an error


def exposition(*, now: datetime) -> bytes:
    """Return the text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Everything(now))
    return generate_latest(registry)


def _rows(now: datetime) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for gauge in gauges(now=now):
        family = families.setdefault(
            gauge.name,
            GaugeMetricFamily(
                f"tradeswim_{gauge.name}", WORDS[gauge.name], labels=sorted(gauge.labels)
            ),
        )
        family.add_metric([gauge.labels[name] for name in sorted(gauge.labels)], gauge.value)
    yield from families.values()
