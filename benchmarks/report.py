"""What every benchmark hands in: named figures, as JSON for programs and as Markdown for people."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Figure = float | int | str


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a benchmark.

    Args:
        name: unique in a run; the figures are looked up under it.
        title: what was measured, with the unit of the figures.
        rows: by the row's label, its figures by column; all rows have the same columns.
        words: how it was measured, in a sentence or two.
    """

    name: str
    title: str
    rows: Mapping[str, Mapping[str, Figure]]
    words: str = ""

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> "Section":
        """Read one back."""
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures were measured on; `load_before` is the kernel's average of a minute."""

    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    python: str = field(default_factory=platform.python_version)
    system: str = field(default_factory=lambda: f"{platform.system()} {platform.machine()}")
    processor: str = field(default_factory=lambda: _processor())
    load_before: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.system}, Python {self.python}, "
            f"load before {self.load_before}"
        )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def spread(values: Sequence[float], *, digits: int = 1) -> dict[str, float]:
    """Return median, 95th percentile and maximum."""
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), digits),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], digits),
        "max": round(ordered[-1], digits),
    }


def hand_in(
    measure: Callable[[argparse.Namespace], Sequence[Section]], parser: argparse.ArgumentParser
) -> None:
    """Measure as the command line says; print Markdown, or JSON."""
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    machine = Machine()
    sections = measure(options)
    if options.json:
        found = {"machine": asdict(machine), "sections": [asdict(one) for one in sections]}
        print(json.dumps(found, indent=1))
    else:
        print("\n\n".join([str(machine), *(markdown(one) for one in sections)]))


def markdown(section: Section) -> str:
    """Write a section as a Markdown table under its title."""
    columns = list(next(iter(section.rows.values())))
    lines = [f"**{section.title}**", ""]
    if section.words:
        lines += [section.words, ""]
    lines += ["| | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for label, figures in section.rows.items():
        lines.append(f"| {label} | " + " | ".join(str(figures[one]) for one in columns) + " |")
    return "\n".join(lines)
