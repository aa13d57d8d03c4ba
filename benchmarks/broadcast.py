"""Measure the broadcast as an operator's program sees it: `python -m benchmarks.broadcast`.

Starts the whole installation in a home of its own, broadcasts an iron condor through the API again
and again, and compares the product's own stamps with the arrivals in the paper broker's journal,
all milliseconds from the click.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.report import Section, hand_in, spread
from tests.support.stack import Program, Stack, free_ports

PAUSE_S = 0.5


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--runs", type=int, default=30)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Broadcast again and again, with everything running that an installation has."""
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
            for _ in range(3):
                _run(program, body)  # what is loaded with the first click is loaded now
            runs = [_run(program, body) for _ in range(options.runs)]
        finally:
            stack.stop()
    return [
        Section(
            f"broadcast-{options.accounts}",
            f"Broadcast to {options.accounts} accounts of the paper broker, milliseconds",
            {name: spread([run[name] for run in runs]) for name in runs[0]},
            f"{options.runs} runs on a whole installation, as `make demo` starts it.",
        )
    ]


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


if __name__ == "__main__":
    main()
