"""Count calls to the broker and how long their answers took, in this process's memory."""

from collections.abc import Iterable

from prometheus_client import Counter, Histogram

from brokerage.schwab.exchange import Exchange

CALLS = Counter(
    "tradeswim_broker_calls",
    "Calls to the broker; outcome is a status of HTTP, or how far a call without one came",
    ["method", "outcome"],
)
SECONDS = Histogram(
    "tradeswim_broker_answer_seconds",
    "From a call's last byte sent until its answer was read",
    ["method"],
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)


def count_exchanges(exchanges: Iterable[Exchange]) -> None:
    """Count what ended, answered or not."""
    for one in exchanges:
        method = one.request.method
        outcome = str(one.reply.status) if one.reply else _failure(one)
        CALLS.labels(method, outcome).inc()
        if one.sent_at is not None and one.answered_at is not None:
            SECONDS.labels(method).observe(max(one.answered_at - one.sent_at, 0.0))


def _failure(exchange: Exchange) -> str:
    return exchange.failure.kind.lower() if exchange.failure else "none"
