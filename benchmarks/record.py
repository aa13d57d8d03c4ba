"""Measure how soon after the broker's last answer an open page shows it: `make bench-record`.

Starts the whole installation in a home of its own, opens its desk in Chromium on this same machine
and broadcasts an iron condor again and again. The product's stamp of the last answer is compared
with the moment at which every account's cell in the page is WORKING or FILLED.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

from benchmarks.installation import Running, moment, wait_for, whole_installation
from benchmarks.report import Section, hand_in, spread
from tests.e2e.browsing import CONTEXT, chromium, sign_in
from tests.support.stack import PASSWORD

PAUSE_S = 2.0
LAST_ANSWER = "SELECT max(answered_at) FROM orders_accountorder WHERE order_id = ?"
# Keeps in the page when all cells of a broadcast were first there, by its row.
WATCH = """
(accounts) => {
  window.known = {};
  window.filled = {};
  const look = () => {
    for (const row of document.querySelectorAll("#orders tr[data-row]")) {
      const filled = row.querySelectorAll(".sg .st-filled").length;
      const working = row.querySelectorAll(".sg .st-working").length;
      if (filled + working === accounts) window.known[row.id] ??= Date.now();
      if (filled === accounts) window.filled[row.id] ??= Date.now();
    }
  };
  new MutationObserver(look).observe(document.querySelector("#orders"), {
    subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
}
"""
WORDS = (
    "All clocks are this machine's. Every order fills at once, so reads of the fills are recorded "
    "beside the answers."
)


def main() -> None:
    """Run the benchmark and print a Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--runs", type=int, default=15)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Measure in one installation, on one page."""
    with whole_installation(options.accounts) as running, chromium() as browser:
        page = _open(browser, running.ready["url"], options.accounts)
        body = running.program.condor()
        found = [_run(running, page, body) for _ in range(options.runs)]
    title = f"Until {options.accounts} accounts are on an open page, milliseconds"
    rows = {label: spread([run[label] for run in found], digits=0) for label in found[0]}
    return [Section("record", f"{title} ({options.runs} runs)", rows, WORDS)]


def _open(browser: Any, url: str, accounts: int) -> Page:
    page: Page = browser.new_context(**CONTEXT).new_page()
    sign_in(page, url, "agent", PASSWORD)
    page.wait_for_selector("#lamp[data-state=live]", timeout=60_000)
    page.evaluate(WATCH, accounts)
    return page


def _run(running: Running, page: Page, body: dict[str, Any]) -> dict[str, float]:
    time.sleep(PAUSE_S)
    clicked = time.time() * 1000
    order = running.program.post_order(body).json()["id"]
    row = f"order-{order}"
    wait_for(lambda: page.evaluate("(row) => window.filled[row]", row), "all filled on the page")
    known, filled = page.evaluate("(row) => [window.known[row], window.filled[row]]", row)
    answered = moment(running.record.one(LAST_ANSWER, order)) * 1000
    return {
        "last answer → all WORKING or FILLED on the page": known - answered,
        "click → all WORKING or FILLED on the page": known - clicked,
        "click → all FILLED on the page": filled - clicked,
    }


if __name__ == "__main__":
    main()
