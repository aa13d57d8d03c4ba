"""Measure EXIT beside the entry it closes, in one run: `make bench-exit`.

Starts the whole installation in a home of its own, for 45 accounts and for 1,000; opens an iron
condor in every account and exits it, again and again. All milliseconds are from the click, the
exit's with freshly read positions.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from benchmarks.installation import Running, add_sizes, moment, sizes, whole_installation
from benchmarks.report import Section, hand_in, spread

# Positions are not trusted for two seconds after a close of the same legs.
PAUSE_S = 3.0
SENT = "SELECT broadcast_ms FROM orders_complexorder WHERE id = ?"
SET = "SELECT id FROM orders_placedorderset WHERE order_id = ?"
FLAT = "SELECT flat_at FROM orders_placedorderset WHERE id = ?"
WORDS = "The installation as `make demo` starts it; the paper broker is on the same machine."


def main() -> None:
    """Run the benchmark and print Markdown tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_sizes(parser, runs=8)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Measure every size in an installation of its own."""
    return [_section(accounts, runs) for accounts, runs in sizes(options)]


def _section(accounts: int, runs: int) -> Section:
    with whole_installation(accounts) as running:
        body = running.program.condor()
        found = [_run(running, body) for _ in range(runs)]
    return Section(
        name=f"exit-{accounts}",
        title=f"EXIT in {accounts:,} accounts, milliseconds from the click ({runs} runs)",
        rows={label: spread([run[label] for run in found]) for label in found[0]},
        words=WORDS,
    )


def _run(running: Running, body: dict[str, Any]) -> dict[str, float]:
    """Enter, exit, and wait until the broker has nothing left of it."""
    program, record = running.program, running.record
    time.sleep(PAUSE_S)
    entry = program.post_order(body).json()["id"]
    record.order(entry, "FILLED")
    placed = record.wait(SET, entry)
    time.sleep(PAUSE_S)
    clicked = time.time()
    answer = program.session.post(
        f"{program.url}sets/{placed}/exit/",
        json={"pricing": "NATURAL"},
        headers={"Idempotency-Key": str(uuid4())},
        timeout=30,
    )
    answer.raise_for_status()
    flat_at = moment(record.wait(FLAT, placed))
    return {
        "entry: click → last request sent": record.one(SENT, entry),
        "exit: click → last request sent": record.one(SENT, answer.json()["id"]),
        "exit: click → flat at the broker": (flat_at - clicked) * 1000,
    }


if __name__ == "__main__":
    main()
