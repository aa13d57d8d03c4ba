"""Compare today's speed with the figures that are kept, by ratios alone: `make bench-check`.

A ratio of two things measured in the same run says the same on a fast machine and on a slow one.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.__main__ import RUNS, measure
from benchmarks.keeping import BASELINE

# So much worse a ratio may be before somebody should look.
TOLERANCE = 1.5
SENDERS, CLICKS = "senders", "clicks"

Rows = Mapping[str, Mapping[str, Mapping[str, float]]]
RATIOS: dict[str, Callable[[Rows], float]] = {
    "gateway / raw sockets, 45": lambda rows: _of_raw(rows, 45),
    "gateway / raw sockets, 1,000": lambda rows: _of_raw(rows, 1000),
    "gateway / Node, 45": lambda rows: _of_node(rows, 45),
    "gateway / Node, 1,000": lambda rows: _of_node(rows, 1000),
    "click of 45 / click of 1": lambda rows: _last(rows, "45 accounts") / _last(rows, "1 account"),
    "click of 1,000 / click of 45": lambda rows: (
        _last(rows, "1,000 accounts") / _last(rows, "45 accounts")
    ),
    "cold / warm, 45": lambda rows: (
        rows["clicks-1000-cold"]["45 accounts"]["last sent"] / _last(rows, "45 accounts")
    ),
}


def main() -> int:
    """Measure what the ratios need; return 1 if one of them is much worse than it was."""
    kept = json.loads(BASELINE.read_text(encoding="utf-8"))
    now = {name: measure(RUNS[name]) for name in (SENDERS, CLICKS)}
    before, after, found = rows_of(kept), rows_of(now), worse(kept, now)
    print("| ratio | kept | now | |\n|---|--:|--:|---|")
    for name, ratio in RATIOS.items():
        word = "WORSE" if name in found else "ok"
        print(f"| {name} | {ratio(before):.2f} | {ratio(after):.2f} | {word} |")
    return 1 if found else 0


def worse(kept: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the ratios that are much worse than those that are kept."""
    before, after = rows_of(kept), rows_of(now)
    return [name for name, ratio in RATIOS.items() if ratio(after) > ratio(before) * TOLERANCE]


def rows_of(found: Mapping[str, Any]) -> Rows:
    """Return the rows of every section, by its name."""
    return {row["name"]: row["rows"] for one in found.values() for row in one["sections"]}


def _of_raw(rows: Rows, count: int) -> float:
    return _sending(rows, count, "Tradeswim's gateway") / _sending(rows, count, "raw sockets")


def _of_node(rows: Rows, count: int) -> float:
    ours = _sending(rows, count, "Tradeswim's gateway")
    return ours / _sending(rows, count, "Node, Promise.all(fetch)")


def _sending(rows: Rows, count: int, way: str) -> float:
    return rows[f"senders-{count}"][way]["median"]


def _last(rows: Rows, label: str) -> float:
    return rows["clicks-1000"][label]["last sent"]


if __name__ == "__main__":
    sys.exit(main())
