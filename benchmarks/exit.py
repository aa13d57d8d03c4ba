"""Measure EXIT beside the entry it closes, in one run: `make bench-exit`.

Starts the whole installation in a home of its own, opens an iron condor in every account and exits
it, again and again; all milliseconds from the click, the exit's with freshly read positions.
"""

import argparse
import json
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.broadcast import summary, table
from tests.support.stack import Program, Stack, free_ports

# Positions are not trusted for two seconds after a close of the same legs.
PAUSE_S = 3.0


def main() -> None:
    """Run the benchmark and print a Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
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


def _run(program: Program, body: dict[str, Any]) -> dict[str, float]:
    time.sleep(PAUSE_S)
    entry = program.wait_for_order(program.post_order(body).json()["id"], "FILLED")
    (placed,) = [one for one in program.get("sets/") if one["order"] == entry["id"]]
    limit = program.get(f"sets/{placed['id']}/")["exit_prices"]["natural"]
    time.sleep(PAUSE_S)
    clicked = time.time()
    answer = program.session.post(
        f"{program.url}sets/{placed['id']}/exit/",
        json={"limit": limit},
        headers={"Idempotency-Key": str(uuid4())},
        timeout=10,
    )
    answer.raise_for_status()
    while not (flat_at := program.get(f"sets/{placed['id']}/")["flat_at"]):
        time.sleep(0.05)
    closing = program.wait_for_order(answer.json()["id"], "FILLED")
    flat = datetime.fromisoformat(flat_at).timestamp()
    return {
        "entry: click → last request sent": entry["broadcast_ms"],
        "exit: click → last request sent": closing["broadcast_ms"],
        "exit: click → flat at the broker": (flat - clicked) * 1000,
    }


if __name__ == "__main__":
    main()
