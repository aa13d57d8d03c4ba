"""Measure the start of the whole installation, `manage.py up` to READY, the first and later ones.

What each step takes is told by the lines that `up` prints as it begins one.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.report import Section, hand_in, spread
from tests.support.stack import Stack, free_ports

LOOK_EVERY_S = 0.01
WITHIN_S = 600.0
# How a line begins with which a step begins.
STEPS = {
    "starting a private Redis": "Redis",
    "starting the paper broker": "paper broker",
    "preparing the database": "migrations, fleet, first reads",
    "starting web": "web, workers, beat, sweeper, stream",
}
INTERPRETER = "until `up` says something"
WHOLE = "start to READY"


def main() -> None:
    """Hand in what a start takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--runs", type=int, default=4, help="starts after the first one")
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Start in an empty home, and then again and again in the same one."""
    with tempfile.TemporaryDirectory(prefix="tradeswim-bench-") as folder:
        home = Path(folder) / "home"
        first = _start(home, options.accounts)
        warm = [_start(home, options.accounts) for _ in range(options.runs)]
    rows = {}
    for name, seconds in first.items():
        again = spread([run[name] for run in warm], digits=2)
        rows[name] = {"first": round(seconds, 2), **{f"warm {key}": again[key] for key in again}}
    return [
        Section(
            name="start",
            title=f"Start of `make demo` with {options.accounts} accounts, seconds",
            rows=rows,
            words=f"The first start makes keys, database and fleet; then {options.runs} more in "
            "the same home. Without the sample trade, which begins after READY.",
        )
    ]


def _start(home: Path, accounts: int) -> dict[str, float]:
    """Start, stop, and return the seconds of each step and of the whole."""
    began = time.monotonic()
    stack = Stack(home, *free_ports(), DEMO_ACCOUNTS=str(accounts), DEMO_TRADE="0")
    try:
        heard = dict(_heard(stack))
    finally:
        stack.stop()
        stack.log.unlink()
    return _seconds(began, heard)


def _heard(stack: Stack) -> Iterator[tuple[str, float]]:
    """Yield every line of `up` and when it came, READY as the last one."""
    seen = 0
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until and stack.process.poll() is None:
        lines = stack.output().split("\n")[:-1]
        for line in lines[seen:]:
            yield line, time.monotonic()
            if line.startswith("READY "):
                return
        seen = len(lines)
        time.sleep(LOOK_EVERY_S)
    raise SystemExit(f"it does not get ready; the log says:\n{stack.output()}")


def _seconds(began: float, heard: Mapping[str, float]) -> dict[str, float]:
    at = {
        name: when
        for line, when in heard.items()
        for start, name in STEPS.items()
        if line.startswith(start)
    }
    ready = max(heard.values())
    begun = [began, *at.values(), ready]
    took = (after - before for before, after in pairwise(begun))
    return {**dict(zip([INTERPRETER, *at], took, strict=True)), WHOLE: ready - began}


if __name__ == "__main__":
    main()
