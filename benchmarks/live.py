"""Measure how soon a changed cell is on every open page: `make bench-live`.

Starts the whole installation in a home of its own, opens its desk in 20 Chromium contexts on this
same machine, and fills one account's order after the other in the database as a recorder does, by
another process. All milliseconds from just before that commit to the changed cell in the page.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.broadcast import spread
from tests.e2e.browsing import CONTEXT, chromium, sign_in
from tests.support.stack import PASSWORD, Program, Stack, free_ports

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


def main() -> None:
    """Run the benchmark and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--fills", type=int, default=30)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two fills")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradeswim-bench-") as folder:
        stack = Stack(Path(folder) / "home", *free_ports(), DEMO_TRADE="0")
        try:
            ready = stack.wait_until_ready()
            number = _working_order(Program(ready))
            with chromium() as browser:
                pages = [_open(browser, ready["url"], number) for _ in range(options.browsers)]
                filled_at = _fill(stack, ready, number, options)
                time.sleep(3)
                seen = [page.evaluate("window.seen") for page in pages]
        finally:
            stack.stop()
    _print(filled_at, seen)


def _working_order(program: Program) -> int:
    program.paper("market", {"fills": "manual"})
    number: int = program.post_order(program.condor()).json()["id"]
    program.wait_for_order(number, "WORKING")
    return number


def _open(browser: Any, url: str, number: int) -> Page:
    page: Page = browser.new_context(**CONTEXT).new_page()
    sign_in(page, url, "agent", PASSWORD)
    page.wait_for_selector("#lamp[data-state=live]", timeout=60_000)
    page.wait_for_selector(f"#order-{number}")
    page.evaluate(WATCH, f"#order-{number}")
    return page


def _fill(
    stack: Stack, ready: dict[str, Any], number: int, options: argparse.Namespace
) -> dict[int, float]:
    """Fill one account after the other; return when each count of filled ones was committed."""
    connection = Path(f"/proc/{ready['processes']['placement']}/environ").read_bytes().split(b"\0")
    known = dict(one.decode().split("=", 1) for one in connection if b"=" in one)
    os.environ.clear()
    os.environ.update(stack.environment, REDIS_URL=known["REDIS_URL"])
    # The browsers' driver keeps an event loop in this thread, in which Django refuses its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    from django.utils import timezone

    from orders.domain.lifecycle import Status
    from orders.models import AccountOrder
    from orders.services.steps import Step, take_steps

    filled_at: dict[int, float] = {}
    rows = AccountOrder.objects.filter(order=number, status=Status.WORKING)
    for count, pk in enumerate(list(rows.values_list("pk", flat=True))[: options.fills], 1):
        filled_at[count] = time.time() * 1000
        steps = [Step(pk, Status.FILLED, {"remaining": 0})]
        take_steps(steps, out_of={Status.WORKING}, now=timezone.now(), actor="benchmark")
        time.sleep(options.every)
    return filled_at


def _print(filled_at: dict[int, float], seen: list[dict[str, float]]) -> None:
    took = []
    lost = 0
    for count, at in filled_at.items():
        for page in seen:
            later = [when for filled, when in page.items() if int(filled) >= count]
            if later:
                took.append(min(later) - at)
            else:
                lost += 1
    print(f"browsers {len(seen)}, fills {len(filled_at)}, lost {lost}")
    if not took:
        raise SystemExit("No page showed any of the fills.")
    found = spread(took, digits=0)
    print(f"p50 {found['median']:.0f} ms, p95 {found['p95']:.0f} ms, max {found['max']:.0f} ms")


if __name__ == "__main__":
    main()
