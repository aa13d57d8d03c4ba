"""Measure how soon a fill at the broker is in the database: `make bench-fills`.

Starts the whole installation twice, with the streams and with polling alone. Each time an iron
condor rests in every account and is filled by hand, account by account and at odd moments; then
another one is filled in all of them at once. The clock runs from the call that fills the order
until a reader of the database file sees the fill.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.installation import LOOK_EVERY_S, Running, wait_until_heard, whole_installation
from benchmarks.report import Section, hand_in, spread
from tests.support.stack import Program

WAIT_S = 60.0
# No order of the machine's own making fills at a price like this.
RESTING_LIMIT = "4.90"
WORDS = "From the call that fills the order until a reader of the database sees the fill."
FILLED = "SELECT broker_order_id FROM orders_accountorder WHERE order_id = ? AND status = 'FILLED'"


def main() -> None:
    """Run the benchmark and print a Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--seed", type=int, default=1)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Measure with the streams and without, each in an installation of its own."""
    rows = {
        f"{way}, {kind}": figures
        for way, streams in (("with streams", "1"), ("without", "0"))
        for kind, figures in _measure(options, streams=streams).items()
    }
    title = f"From a fill in {options.accounts} accounts to the database, seconds"
    return [Section("fills", title, rows, WORDS)]


def _measure(options: argparse.Namespace, *, streams: str) -> dict[str, dict[str, float]]:
    with whole_installation(options.accounts, TRADESWIM_STREAMS=streams) as running:
        if streams == "1":
            wait_until_heard(running, options.accounts)
        chance = random.Random(options.seed)  # noqa: S311 - it only spreads the fills
        pauses = (chance.uniform(0.1, 0.7) for _ in range(options.accounts))
        return {
            "one after the other": _fill(running, pauses),
            "all at once": _fill(running, iter(())),
        }


def _fill(running: Running, pauses: Iterator[float]) -> dict[str, float]:
    """Let a broadcast rest, fill its orders, and return how long each took to be on record."""
    program = running.program
    program.paper("market", {"speed": 0, "fills": "manual"})
    pk = program.post_order(program.condor(limit=RESTING_LIMIT)).json()["id"]
    names = [share["broker_order_id"] for share in _resting(program, pk)]
    time.sleep(6)  # a beat has read all of them
    filled_at: dict[str, float] = {}
    seen_at: dict[str, float] = {}
    for name in names:
        filled_at[name] = time.monotonic()
        program.paper("fill", {"order_id": name})
        _look(running, pk, seen_at, until=time.monotonic() + next(pauses, 0.0))
    _look(running, pk, seen_at, until=time.monotonic() + WAIT_S, most=len(names))
    if len(seen_at) < len(names):
        raise SystemExit(f"only {len(seen_at)} of {len(names)} fills are on record")
    return spread([seen_at[name] - filled_at[name] for name in names], digits=3)


def _resting(program: Program, pk: int) -> list[dict[str, Any]]:
    order = program.wait_for_order(pk, "WORKING", seconds=WAIT_S)
    shares: list[dict[str, Any]] = order["accounts"]
    return shares


def _look(
    running: Running,
    pk: int,
    seen_at: dict[str, float],
    *,
    until: float,
    most: int | None = None,
) -> None:
    """Note which fills are on record, again and again, until then or until there are so many."""
    while True:
        for (name,) in running.record.database.execute(FILLED, [pk]).fetchall():
            seen_at.setdefault(name, time.monotonic())
        if time.monotonic() >= until or len(seen_at) == most:
            return
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
