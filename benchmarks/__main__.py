"""Run all that takes minutes: `make bench`, or some: `make bench NAMES="clicks pages"`.

Each is a process of its own. The figures go to var/bench as JSON, as Markdown and as plots; with
`--keep` they become what docs/performance.md shows and what `make bench-check` compares with.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.keeping import BASELINE, keep
from benchmarks.plots import draw_all
from benchmarks.report import Section, markdown

FOLDER = Path("var/bench")
# By name what is run.
RUNS: dict[str, list[str]] = {
    "senders": ["senders"],
    "clicks": ["clicks"],
    "clicks-5000": ["clicks", "--accounts", "5000", "--placements", "2"],
    "clicks-history": ["clicks", "--accounts", "45", "--broadcasts", "2000"],
    "broadcast": ["broadcast"],
    "record": ["record"],
    "live": ["live"],
    "exit": ["exit"],
    "cancel": ["cancel"],
    "beats": ["beats"],
    "pages": ["pages"],
    "memory": ["memory"],
    "start": ["start"],
}
# What takes longer than minutes, or needs a PostgreSQL, is run where it is named.
NAMED: dict[str, list[str]] = {
    "memory-long": ["memory", "--name", "memory-long", "--minutes", "30"],
    "memory-day": ["memory", "--name", "memory-day", "--minutes", "15", "--every", "60"],
    "memory-many": ["memory", "--name", "memory-many", "--accounts", "5000", "--minutes", "0"],
    "scale-out": ["scale_out"],
}


def main() -> None:
    """Run what is named, show it and write it down."""
    known = RUNS | NAMED
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(known)}")
    parser.add_argument("--keep", action="store_true", help="keep the last figures in the tree")
    options = parser.parse_args()
    if unknown := set(options.names) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    result = FOLDER / "result.json"
    if options.keep:
        keep(json.loads(result.read_text(encoding="utf-8")))
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = _before(result)
    for name in options.names or RUNS:
        print(f"— {name}", flush=True)
        one = measure(known[name])
        found[name] = one
        print("\n\n".join(markdown(Section.of(row)) for row in one["sections"]), flush=True)
        result.write_text(json.dumps(found, indent=1), encoding="utf-8")
    draw_all(found, FOLDER)
    (FOLDER / "result.md").write_text(_text(found), encoding="utf-8")


def measure(arguments: list[str]) -> dict[str, Any]:
    """Run one benchmark; return its machine and its sections."""
    module, *rest = arguments
    command = [sys.executable, "-m", f"benchmarks.{module}", "--json", *rest]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _before(result: Path) -> dict[str, Any]:
    """Return the figures of the last time, or those that are kept: some may be run alone."""
    for path in (result, BASELINE):
        if path.exists():
            known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return known
    return {}


def _text(found: dict[str, Any]) -> str:
    sections = [markdown(Section.of(row)) for one in found.values() for row in one["sections"]]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    main()
