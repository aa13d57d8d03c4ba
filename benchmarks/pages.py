"""Measure what the pages cost: server time, queries and bytes: `make bench-pages`.

A history is written into an installation of its own: 45 accounts, 500 broadcasts, 40 of them open.
Every page and live panel is asked for by Django's test client, in this process: *cold* renders a
version that nobody asked for before, *warm* shows again what another page has rendered already.
Nothing answers for the broker and for Redis: pages say so, as they do when these are down. A cold
frame then asks the database for the ages of the beats, with one query more.
"""

import argparse
import gzip
import json
import logging
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.broadcast import spread
from benchmarks.installation import own_installation

# Addresses by their names, as orders/urls.py has them.
PAGES = (
    *("desk", "stocks", "positions", "history", "accounts", "logins", "status", "record"),
    *("settings", "sets", "unknown-orders", "alarms", "modes", "elsewhere"),
)
PANELS = (
    *("orders-panel", "sets-panel", "stock-orders-panel", "stock-positions-panel"),
    *("positions-panel", "history-panel", "accounts-grid", "logins-panel", "status-panel"),
    *("elsewhere-panel", "fleet"),
)
OF_NEWEST_ORDER = ("broadcast", "broadcast-pane", "cancel", "replace", "ladder")
OF_NEWEST_SET = ("set", "exit")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one address costs; milliseconds are the server's.

    Args:
        cold_cpu_ms: of that the processor's: the rest was waiting, for others on a busy machine.
    """

    name: str
    status: int
    cold_ms: float
    cold_cpu_ms: float
    warm_ms: float
    warm_p95_ms: float
    cold_queries: int
    warm_queries: int
    bytes: int
    packed_bytes: int


def main() -> None:
    """Run the benchmark and print a Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--broadcasts", type=int, default=500)
    parser.add_argument("--working", type=int, default=40)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with own_installation("tradeswim.settings.dev"):
        _fill(given)
        logging.disable(logging.WARNING)  # every page would say that nothing answers
        costs = [_measure(name, address, given.runs) for name, address in _addresses()]
    print(json.dumps([asdict(cost) for cost in costs], indent=1) if given.json else _table(costs))


def _fill(given: argparse.Namespace) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from tests.support.history import fill_history

    settings.ALLOWED_HOSTS = ["testserver"]
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    fill_history(accounts=given.accounts, broadcasts=given.broadcasts, working=given.working)


def _addresses() -> list[tuple[str, str]]:
    from django.urls import reverse

    from orders.models import ComplexOrder, PlacedOrderSet

    order = ComplexOrder.objects.exclude(strategy="EQUITY").latest("pk").pk
    placed = PlacedOrderSet.objects.latest("pk").pk
    wanted: Sequence[tuple[str, list[int]]] = [
        *((name, []) for name in (*PAGES, *PANELS)),
        *((name, [order]) for name in OF_NEWEST_ORDER),
        *((name, [placed]) for name in OF_NEWEST_SET),
    ]
    return [(name, reverse(name, args=args)) for name, args in wanted]


def _measure(name: str, address: str, runs: int) -> Cost:
    from accounts.live.shelf import rendered

    get = _browser(name, address)
    get()  # templates are compiled, modules imported
    cold = [_timed(get, before=rendered.clear) for _ in range(max(runs // 3, 3))]
    cold_ms, cold_cpu_ms = (statistics.median(times) for times in zip(*cold, strict=True))
    warm = spread([_timed(get)[0] for _ in range(runs)])
    rendered.clear()
    cold_queries, _ = _counted(get)
    warm_queries, answer = _counted(get)
    return Cost(
        name=name,
        status=answer.status_code,
        cold_ms=cold_ms,
        cold_cpu_ms=cold_cpu_ms,
        warm_ms=warm["median"],
        warm_p95_ms=warm["p95"],
        cold_queries=cold_queries,
        warm_queries=warm_queries,
        bytes=len(answer.content),
        packed_bytes=len(gzip.compress(answer.content, 5)),
    )


def _browser(name: str, address: str) -> Callable[[], Any]:
    """Return what asks for an address, as the agent; for a panel as an open page does."""
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(role="AGENT"))
    headers = {"HX-Request": "true"} if name in PANELS else {}
    return lambda: client.get(address, headers=headers)


def _timed(
    get: Callable[[], Any], before: Callable[[], None] = lambda: None
) -> tuple[float, float]:
    """Return how long it takes, and how much of that the processor works, in milliseconds."""
    before()
    began, worked = time.perf_counter(), time.process_time()
    get()
    return (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000


def _counted(get: Callable[[], Any]) -> tuple[int, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = get()
    return len(queries), answer


def _table(costs: Sequence[Cost]) -> str:
    lines = [
        "| page | answer | cold ms | its CPU | warm ms | p95 | queries cold | warm | kB | packed |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for cost in costs:
        spent = (cost.cold_ms, cost.cold_cpu_ms, cost.warm_ms, cost.warm_p95_ms)
        times = " | ".join(f"{ms:.1f}" for ms in spent)
        sizes = f"{cost.bytes / 1000:.1f} | {cost.packed_bytes / 1000:.1f}"
        counts = f"{cost.cold_queries} | {cost.warm_queries}"
        lines.append(f"| {cost.name} | {cost.status} | {times} | {counts} | {sizes} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
