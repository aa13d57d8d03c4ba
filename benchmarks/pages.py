"""Measure what the pages cost: server time, queries and bytes: `make bench-pages`.

Two histories are written, each into an installation and a process of its own: 45 accounts with 500
broadcasts, and 1,000 accounts with 2,000. Every page and live panel is asked for by Django's test
client in that process: *cold* renders a version that nobody asked for before, *warm* shows again
what another page has rendered already. Nothing answers for the broker and for Redis: pages say so,
as they do when these are down. A cold frame then asks the database for the ages of the beats, with
one query more.
"""

import argparse
import gzip
import logging
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.installation import own_installation
from benchmarks.report import Figure, Section, hand_in, spread

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
# The history narrowed and sorted, and pages far from its beginning.
QUERIES = {
    "history": ("page=15", "sort=-average", "sort=status", "status=SOME_REJECTED", "q=AAPL"),
    "record": ("kind=set", "text=rejected"),
}
HOW = (
    "Milliseconds are the server's, without network and browser; Django's test client in one "
    "process, SQLite. Cold: {cold} times, each a version that nobody asked for before; warm: "
    "{warm} times."
)


@dataclass(frozen=True, slots=True)
class Size:
    """How long a history is; `is_long`: most of it are copies, every second to 45 accounts only."""

    name: str
    accounts: int
    broadcasts: int
    is_long: bool
    cold: int
    warm: int
    working: int = 40

    @property
    def title(self) -> str:
        return (
            f"Pages, {self.accounts:,} accounts, {self.broadcasts:,} broadcasts, "
            f"{self.working} of them open (ms)"
        )


USUAL = Size("pages-45", 45, 500, is_long=False, cold=9, warm=20)
LONG = Size("pages-1000", 1000, 2000, is_long=True, cold=3, warm=5)


def main() -> None:
    """Run the benchmark and print Markdown, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[USUAL.name, LONG.name], help="measure one size alone")
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Measure each size in a process of its own: Django is set up once in one."""
    wanted = [one for one in (USUAL, LONG) if options.only in {None, one.name}]
    with ProcessPoolExecutor(
        max_workers=1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        return list(processes.map(_measure_size, wanted))


def _measure_size(size: Size) -> Section:
    with own_installation("tradeswim.settings.dev"):
        logging.disable(logging.WARNING)  # every page would say that nothing answers
        began = time.perf_counter()
        rows = _fill(size)
        _be_like_a_web_process()
        words = (
            f"{HOW.format(cold=size.cold, warm=size.warm)} {rows:,} account orders, written in "
            f"{time.perf_counter() - began:.0f} s{_of_what(size)}."
        )
        found = {
            name: _cost(name.partition("?")[0], address, size) for name, address in _addresses()
        }
        return Section(size.name, size.title, found, words)


def _be_like_a_web_process() -> None:
    from django.urls import get_resolver

    from accounts.live.process import calm_garbage_collector

    _ = get_resolver().url_patterns
    calm_garbage_collector()


def _of_what(size: Size) -> str:
    if not size.is_long:
        return ""
    return (
        ": the newest as placing and polling leave them, the others as copies of ten, every "
        "second to all accounts and the rest to 45; the sets of the copies are flat"
    )


def _fill(size: Size) -> int:
    from django.conf import settings
    from django.core.management import call_command

    from orders.models import AccountOrder
    from tests.support.history import fill_history
    from tests.support.long_history import fill_long_history

    settings.ALLOWED_HOSTS = ["testserver"]
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    fill = fill_long_history if size.is_long else fill_history
    fill(accounts=size.accounts, broadcasts=size.broadcasts, working=size.working)
    return AccountOrder.objects.count()


def _addresses() -> list[tuple[str, str]]:
    """Return what is asked for, by the names of its rows."""
    from django.urls import reverse

    from orders.models import ComplexOrder, PlacedOrderSet

    order = ComplexOrder.objects.exclude(strategy="EQUITY").latest("pk").pk
    placed = PlacedOrderSet.objects.latest("pk").pk
    wanted: Sequence[tuple[str, list[int]]] = [
        *((name, []) for name in (*PAGES, *PANELS)),
        *((name, [order]) for name in OF_NEWEST_ORDER),
        *((name, [placed]) for name in OF_NEWEST_SET),
    ]
    narrowed = [(name, query) for name, queries in QUERIES.items() for query in queries]
    return [
        *((name, reverse(name, args=args)) for name, args in wanted),
        *((f"{name}?{query}", f"{reverse(name)}?{query}") for name, query in narrowed),
    ]


def _cost(name: str, address: str, size: Size) -> Mapping[str, Figure]:
    from accounts.live.shelf import rendered

    get = _browser(name, address)
    get()  # templates are compiled, modules imported, rows of lists drawn
    cold = spread([_timed(get, before=rendered.clear) for _ in range(size.cold)])
    warm = spread([_timed(get) for _ in range(size.warm)])
    rendered.clear()
    cold_queries, _ = _counted(get)
    warm_queries, answer = _counted(get)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}.")
    return {
        "cold": cold["median"],
        "cold p95": cold["p95"],
        "warm": warm["median"],
        "warm p95": warm["p95"],
        "queries cold": cold_queries,
        "queries warm": warm_queries,
        "kB": round(len(answer.content) / 1000, 1),
        "packed kB": round(len(gzip.compress(answer.content, 5)) / 1000, 1),
    }


def _browser(name: str, address: str) -> Callable[[], Any]:
    """Return what asks for an address, as the agent; for a panel as an open page does."""
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(role="AGENT"))
    headers = {"HX-Request": "true"} if name in PANELS else {}
    return lambda: client.get(address, headers=headers)


def _timed(get: Callable[[], Any], before: Callable[[], None] = lambda: None) -> float:
    """Return how long it takes, in milliseconds."""
    before()
    began = time.perf_counter()
    get()
    return (time.perf_counter() - began) * 1000


def _counted(get: Callable[[], Any]) -> tuple[int, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = get()
    return len(queries), answer


if __name__ == "__main__":
    main()
