"""Measure *cancel all* of a broadcast that rests in every account: `make bench-cancel`.

Starts the whole installation in a home of its own, for 45 accounts and for 1,000; lets an iron
condor rest in every account, as the broker's reads have shown it, and cancels it. All milliseconds
are from the click; when a cancel arrived is what the paper broker's journal says.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.installation import Running, add_sizes, sizes, whole_installation
from benchmarks.report import Section, hand_in, spread

PAUSE_S = 2.0
# No order of the machine's own making fills at a price like this.
RESTING_LIMIT = "4.90"
CHILDREN = "SELECT count(*) FROM orders_accountorder WHERE order_id = ?"
SEEN_RESTING = f"{CHILDREN} AND status = 'WORKING' AND broker_status != ''"
ALL_SEEN = f"SELECT ({SEEN_RESTING}) = ({CHILDREN})"
CANCELED = f"SELECT ({CHILDREN} AND status = 'CANCELED') = ({CHILDREN})"
WORDS = (
    "Arrivals as the paper broker's journal has them, on the same machine; an order is CANCELED "
    "on record when a read has shown its end."
)


def main() -> None:
    """Run the benchmark and print Markdown tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_sizes(parser, runs=12)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Measure every size in an installation of its own."""
    return [_section(accounts, runs) for accounts, runs in sizes(options)]


def _section(accounts: int, runs: int) -> Section:
    with whole_installation(accounts) as running:
        body = running.program.condor(limit=RESTING_LIMIT)
        running.program.paper("market", {"fills": "manual"})
        found = [_run(running, body) for _ in range(runs)]
    return Section(
        name=f"cancel-{accounts}",
        title=f"Cancel all of {accounts:,} orders, milliseconds from the click ({runs} runs)",
        rows={label: spread([run[label] for run in found]) for label in found[0]},
        words=WORDS,
    )


def _run(running: Running, body: dict[str, Any]) -> dict[str, float]:
    """Let a broadcast rest until the broker has shown it, then cancel it."""
    program, record = running.program, running.record
    order = program.post_order(body).json()["id"]
    record.wait(ALL_SEEN, order, order)
    time.sleep(PAUSE_S)
    seen = _last_seq(running)
    clicked = time.time()
    answer = program.session.post(f"{program.url}orders/{order}/cancel/", json={}, timeout=30)
    answered = time.time()
    answer.raise_for_status()
    record.wait(CANCELED, order, order)
    ended = time.time()
    arrived = _arrivals(running, since=seen)
    if len(arrived) != record.one(CHILDREN, order):
        raise SystemExit(f"only {len(arrived)} orders were canceled by us")
    return {
        "click → first cancel arrived": (min(arrived) - clicked) * 1000,
        "click → last cancel arrived": (max(arrived) - clicked) * 1000,
        "click → API answer": (answered - clicked) * 1000,
        "click → all CANCELED on record": (ended - clicked) * 1000,
    }


def _last_seq(running: Running) -> int:
    """Return the number of the newest request in the paper broker's journal."""
    rows = running.program.paper("journal")
    return int(rows[-1]["seq"]) if rows else 0


def _arrivals(running: Running, *, since: int) -> list[float]:
    """Return when each order's first cancel arrived: one that shows no end is sent again."""
    rows = running.program.paper(f"journal?since={since}")
    newest_first = reversed([row for row in rows if row["method"] == "DELETE"])
    return list({row["path"]: row["at"] for row in newest_first}.values())


if __name__ == "__main__":
    main()
