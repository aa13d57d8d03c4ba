"""The figures that are kept in the tree: docs/performance.md shows them, `bench-check` compares."""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.plots import draw_all
from benchmarks.report import Machine, Section, markdown

TREE = Path(__file__).resolve().parents[1]
BASELINE = TREE / "benchmarks" / "baseline.json"
PAGE = TREE / "docs" / "performance.md"
IMAGES = TREE / "docs" / "images"
BLOCK = re.compile(r"<!-- figures: (?P<name>[\w-]+) -->\n.*?<!-- end of figures -->\n", re.DOTALL)


def keep(found: dict[str, Any]) -> None:
    """Keep a run's figures, and show them in the documents."""
    BASELINE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw_all(found, IMAGES)
    PAGE.write_text(shown(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


def shown(text: str, found: dict[str, Any]) -> str:
    """Return the text with every block of figures as it is to be. Errors: KeyError."""
    tables = {
        row["name"]: (Machine(**one["machine"]), Section.of(row))
        for one in found.values()
        for row in one["sections"]
    }

    def block(match: re.Match[str]) -> str:
        machine, section = tables[match["name"]]
        body = f"{markdown(section)}\n\n*{machine}*"
        return f"<!-- figures: {match['name']} -->\n{body}\n<!-- end of figures -->\n"

    return BLOCK.sub(block, text)
