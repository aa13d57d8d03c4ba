"""Measure the broadcast as an operator's program sees it: `make bench`.

Starts the whole installation in a home of its own, broadcasts an iron condor through the API again
and again, and compares the product's own stamps with the arrivals in the paper broker's journal,
all milliseconds from the click.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.stack import Program, Stack, free_ports

PAUSE_S = 0.5


def main() -> None:
    """Run the benchmark and print a Markdown table, or JSON."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="tradeswim-bench-") as folder:
        stack = Stack(
            Path(folder) / "home",
            *free_ports(),
            DEMO_ACCOUNTS=str(options.accounts),
            DEMO_TRADE="0",
        )
        try:
            program = Program(stack.wait_until_ready())
            body = program.condor()
            runs = [_run(program, body) for _ in range(options.runs)]
        finally:
            stack.stop()
    result = summary(runs, options.accounts)
    print(json.dumps(result, indent=1) if options.json else table(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _run(program: Program, body: dict[str, Any]) -> dict[str, float]:
    """Broadcast once, when the fills of the one before are long on record; return milliseconds."""
    time.sleep(PAUSE_S)
    seen = _last_seq(program)
    clicked = time.time()
    answer = program.post_order(body)
    answered = time.time()
    order = program.wait_for_order(answer.json()["id"], "FILLED")
    arrivals = [
        row["at"] for row in program.paper(f"journal?since={seen}") if row["placed"] is True
    ]
    sent = [datetime.fromisoformat(share["sent_at"]).timestamp() for share in order["accounts"]]
    if len(arrivals) != len(sent):
        raise SystemExit(f"{len(sent)} requests sent, but {len(arrivals)} orders placed")
    return {
        "click → first request sent": (min(sent) - clicked) * 1000,
        "click → last request sent (the product's stamp)": order["broadcast_ms"],
        "click → last request arrived (the broker's journal)": (max(arrivals) - clicked) * 1000,
        "first → last request sent": (max(sent) - min(sent)) * 1000,
        "click → API answer": (answered - clicked) * 1000,
        "click → all filled on record": (time.time() - clicked) * 1000,
    }


def _last_seq(program: Program) -> int:
    rows = program.paper("journal")
    return int(rows[-1]["seq"]) if rows else 0


def summary(runs: Sequence[dict[str, float]], accounts: int) -> dict[str, Any]:
    """Return the spread of every figure over the runs, with what they were measured on."""
    return {
        "accounts": accounts,
        "runs": len(runs),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}",
        "load_before": os.getloadavg()[0],
        "milliseconds": {name: spread([run[name] for run in runs]) for name in runs[0]},
    }


def spread(values: Sequence[float], *, digits: int = 1) -> dict[str, float]:
    """Return median, 95th percentile and maximum."""
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), digits),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], digits),
        "max": round(ordered[-1], digits),
    }


def table(result: dict[str, Any]) -> str:
    """Write a summary as a Markdown table."""
    lines = [
        f"{result['accounts']} accounts, {result['runs']} runs, {result['machine']}",
        "",
        "| milliseconds | median | p95 | max |",
        "|---|---|---|---|",
    ]
    for name, spread in result["milliseconds"].items():
        lines.append(f"| {name} | {spread['median']} | {spread['p95']} | {spread['max']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
