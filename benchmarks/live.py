"""Measure how soon a fill is on every open page: `make bench-live`.

Starts the whole installation in a home of its own and opens its desk in 20 Chromium contexts on
this same machine. One account's order after the other is filled: first at the broker, which tells
of it through its stream; then straight in the database as a recorder does, by another process.
"""

import argparse
import os
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.installation import Running, wait_until_heard, whole_installation
from benchmarks.report import Section, hand_in, spread
from tests.e2e.browsing import CONTEXT, chromium, sign_in
from tests.support.stack import PASSWORD

# Keeps in the page when each count of filled cells of a broadcast was first there.
WATCH = """
(row) => {
  window.seen = {};
  const look = () => {
    const filled = document.querySelectorAll(`${row} .sg .st-filled`).length;
    window.seen[filled] ??= Date.now();
  };
  new MutationObserver(look).observe(document.querySelector("#orders"), {
    subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
  look();
}
"""
ACCOUNTS = 45
WORKING = (
    "SELECT broker_order_id FROM orders_accountorder WHERE order_id = ? AND status = 'WORKING' "
    "ORDER BY broker_order_id LIMIT ?"
)
IS_FILLED = "SELECT 1 FROM orders_accountorder WHERE broker_order_id = ? AND status = 'FILLED'"
WORDS = (
    "Browsers, installation and paper broker share one machine. From just before the call that "
    "fills the order, and from just before the commit, to the changed cell in each page."
)


def main() -> None:
    """Run the benchmark and print a Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--fills", type=int, default=20, help="of each of both kinds")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two fills")
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Measure both ways with the same pages."""
    with whole_installation(ACCOUNTS) as running, chromium() as browser:
        number = _working_order(running)
        url = running.ready["url"]
        pages = [_open(browser, url, number) for _ in range(options.browsers)]
        wait_until_heard(running, ACCOUNTS)
        filled_at, recorded = _fill_at_broker(running, number, options)
        committed_at = _fill_on_record(running, number, options)
        time.sleep(3)
        seen = [page.evaluate("window.seen") for page in pages]
    rows = {
        "fill at the broker → on record": recorded,
        "fill at the broker → on every page": _until_seen(filled_at, seen),
        "commit → on every page": _until_seen(committed_at, seen),
    }
    title = (
        f"Until a fill is on {options.browsers} open pages, milliseconds ({options.fills} fills)"
    )
    return [Section("live", title, {k: spread(v, digits=0) for k, v in rows.items()}, WORDS)]


def _working_order(running: Running) -> int:
    program = running.program
    program.paper("market", {"fills": "manual"})
    number: int = program.post_order(program.condor()).json()["id"]
    running.record.order(number, "WORKING")
    return number


def _open(browser: Any, url: str, number: int) -> Page:
    page: Page = browser.new_context(**CONTEXT).new_page()
    sign_in(page, url, "agent", PASSWORD)
    page.wait_for_selector("#lamp[data-state=live]", timeout=60_000)
    page.wait_for_selector(f"#order-{number}")
    page.evaluate(WATCH, f"#order-{number}")
    return page


def _fill_at_broker(
    running: Running, number: int, options: argparse.Namespace
) -> tuple[dict[int, float], list[float]]:
    """Fill one account's order after the other, at odd moments.

    Returns:
        When each count of filled ones was brought about, in Unix milliseconds; and how long each
        took to be on record.
    """
    filled_at, recorded = dict[int, float](), []
    chance = random.Random(20)  # noqa: S311 - it only spreads the fills
    names = running.record.database.execute(WORKING, [number, options.fills]).fetchall()
    for count, (name,) in enumerate(names, 1):
        filled_at[count] = time.time() * 1000
        running.program.paper("fill", {"order_id": name})
        running.record.wait(IS_FILLED, name)
        recorded.append(time.time() * 1000 - filled_at[count])
        time.sleep(options.every * chance.uniform(0.5, 1.5))
    return filled_at, recorded


def _fill_on_record(running: Running, number: int, options: argparse.Namespace) -> dict[int, float]:
    """Fill further ones in the database alone; return when each count of them was committed."""
    processes = running.ready["processes"]
    connection = Path(f"/proc/{processes['placement']}/environ").read_bytes().split(b"\0")
    known = dict(one.decode().split("=", 1) for one in connection if b"=" in one)
    os.environ.clear()
    os.environ.update(running.stack.environment, REDIS_URL=known["REDIS_URL"])
    # The browsers' driver keeps an event loop in this thread, in which Django refuses its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    from django.utils import timezone

    from orders.domain.lifecycle import Status
    from orders.models import AccountOrder
    from orders.services.steps import Step, take_steps

    committed_at: dict[int, float] = {}
    rows = AccountOrder.objects.filter(order=number, status=Status.WORKING)
    names = list(rows.values_list("pk", flat=True))[: options.fills]
    for count, pk in enumerate(names, ACCOUNTS - rows.count() + 1):
        committed_at[count] = time.time() * 1000
        steps = [Step(pk, Status.FILLED, {"remaining": 0})]
        take_steps(steps, out_of={Status.WORKING}, now=timezone.now(), actor="benchmark")
        time.sleep(options.every)
    return committed_at


def _until_seen(began_at: Mapping[int, float], seen: Sequence[Mapping[str, float]]) -> list[float]:
    """Return for each page and fill how long it took until the page showed it."""
    took = []
    for count, at in began_at.items():
        for page in seen:
            later = [when for filled, when in page.items() if int(filled) >= count]
            if not later:
                raise SystemExit(f"A page never showed {count} filled orders.")
            took.append(min(later) - at)
    return took


if __name__ == "__main__":
    main()
