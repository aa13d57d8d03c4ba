"""Measure how soon a fill at the broker is in the database: `make bench-fills`.

Starts the whole installation twice, with the streams and with polling alone. Each time an iron
condor rests in every account and is filled by hand, account by account and at odd moments; then
another one is filled in all of them at once. The clock runs from the call that fills the order
until a reader of the database file sees the fill.
"""

import argparse
import json
import os
import platform
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.broadcast import spread
from tests.support.stack import Program, Stack, free_ports

LOOK_EVERY_S = 0.01
WAIT_S = 60.0
# No order of the machine's own making fills at a price like this.
RESTING_LIMIT = "4.90"
FILLED = "SELECT broker_order_id FROM orders_accountorder WHERE order_id = ? AND status = 'FILLED'"


def main() -> None:
    """Run the benchmark and print a Markdown table, or JSON."""
    options = _options()
    found = {
        "with streams": _measure(options, streams="1"),
        "without": _measure(options, streams="0"),
    }
    result = {
        "accounts": options.accounts,
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds": found,
    }
    print(json.dumps(result, indent=1) if options.json else table(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _measure(options: argparse.Namespace, *, streams: str) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="tradeswim-bench-") as folder:
        home = Path(folder) / "home"
        stack = Stack(
            home,
            *free_ports(),
            DEMO_ACCOUNTS=str(options.accounts),
            DEMO_TRADE="0",
            TRADESWIM_STREAMS=streams,
        )
        try:
            program = Program(stack.wait_until_ready())
            if streams == "1":
                stack.wait_for(lambda: _all_listen(program, options.accounts))
            chance = random.Random(options.seed)  # noqa: S311 - it only spreads the fills
            pauses = (chance.uniform(0.1, 0.7) for _ in range(options.accounts))
            return {
                "one after the other": _fill(program, home, pauses),
                "all at once": _fill(program, home, iter(())),
            }
        finally:
            stack.stop()


def _all_listen(program: Program, accounts: int) -> bool:
    shown = program.paper("stream")["streams"]
    return len(shown) == accounts and all(one["is_subscribed"] for one in shown)


def _fill(program: Program, home: Path, pauses: Iterator[float]) -> dict[str, float]:
    """Let a broadcast rest, fill its orders, and return how long each took to be on record."""
    program.paper("market", {"speed": 0, "fills": "manual"})
    pk = program.post_order(program.condor(limit=RESTING_LIMIT)).json()["id"]
    names = [share["broker_order_id"] for share in _resting(program, pk)]
    time.sleep(6)  # a beat has read all of them
    filled_at: dict[str, float] = {}
    seen_at: dict[str, float] = {}
    with closing(sqlite3.connect(f"file:{home / 'db.sqlite3'}?mode=ro", uri=True)) as database:
        for name in names:
            filled_at[name] = time.monotonic()
            program.paper("fill", {"order_id": name})
            _look(database, pk, seen_at, until=time.monotonic() + next(pauses, 0.0))
        _look(database, pk, seen_at, until=time.monotonic() + WAIT_S, most=len(names))
    if len(seen_at) < len(names):
        raise SystemExit(f"only {len(seen_at)} of {len(names)} fills are on record")
    return spread([seen_at[name] - filled_at[name] for name in names], digits=3)


def _resting(program: Program, pk: int) -> list[dict[str, Any]]:
    until = time.monotonic() + WAIT_S
    while True:
        shares: list[dict[str, Any]] = program.get(f"orders/{pk}/")["accounts"]
        if all(share["status"] == "WORKING" for share in shares):
            return shares
        if time.monotonic() > until:
            raise SystemExit("the orders do not rest at the broker")
        time.sleep(0.2)


def _look(
    database: sqlite3.Connection,
    pk: int,
    seen_at: dict[str, float],
    *,
    until: float,
    most: int | None = None,
) -> None:
    """Note which fills are on record, again and again, until then or until there are so many."""
    while True:
        for (name,) in database.execute(FILLED, [pk]).fetchall():
            seen_at.setdefault(name, time.monotonic())
        if time.monotonic() >= until or len(seen_at) == most:
            return
        time.sleep(LOOK_EVERY_S)


def table(result: dict[str, Any]) -> str:
    """Write a result as a Markdown table."""
    lines = [
        f"{result['accounts']} accounts, {result['machine']}",
        "",
        "| seconds from the fill to the database | median | p95 | max |",
        "|---|---|---|---|",
    ]
    for way, kinds in result["seconds"].items():
        for kind, figures in kinds.items():
            row = f"{figures['median']} | {figures['p95']} | {figures['max']}"
            lines.append(f"| {way}, {kind} | {row} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
