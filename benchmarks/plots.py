"""Draw the figures of a run as SVG: broadcast time against accounts, and where the time goes."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

INK, FAINT, GROUND, GRID = "#d7dee8", "#8494a8", "#0d1117", "#232c38"
COLOURS = (
    *("#5ad1a5", "#58a6ff", "#e3b341", "#bc8cff"),
    *("#ff7b72", "#79c0ff", "#ffa657", "#d2a8ff"),
)
FONT = "font-family='system-ui,sans-serif' font-size='12'"
WIDTH, LEFT, RIGHT = 760, 70, 190

Point = tuple[float, float]


def draw_all(found: Mapping[str, Any], folder: Path) -> None:
    """Write the plots that these figures give."""
    sections = {row["name"]: row for one in found.values() for row in one["sections"]}
    if "clicks-1000" in sections:
        (folder / "broadcast.svg").write_text(_broadcast(sections), encoding="utf-8")
    if "clicks-1000-stages" in sections:
        rows = sections["clicks-1000-stages"]["rows"]
        (folder / "stages.svg").write_text(stacked(rows), encoding="utf-8")


def _broadcast(sections: Mapping[str, Any]) -> str:
    warm = dict(sections["clicks-1000"]["rows"])
    warm |= sections.get("clicks-5000", {"rows": {}})["rows"]
    cold = sections.get("clicks-1000-cold", {"rows": {}})["rows"]
    lines = {
        "last sent": _points(warm, "last sent"),
        "p95": _points(warm, "p95"),
        "first sent": _points(warm, "first sent"),
        "last sent, cold": _points(cold, "last sent"),
    }
    senders = {
        "Node, Promise.all(fetch)": "Node, sending alone",
        "raw sockets": "raw sockets, sending alone",
    }
    for way, label in senders.items():
        lines[label] = [
            (float(name.removeprefix("senders-")), float(row["rows"][way]["median"]))
            for name, row in sections.items()
            if name.startswith("senders-") and way in row["rows"]
        ]
    return plot({label: points for label, points in lines.items() if points})


def _points(rows: Mapping[str, Any], column: str) -> list[Point]:
    return [
        (float(label.split()[0].replace(",", "")), float(row[column]))
        for label, row in rows.items()
    ]


def plot(lines: Mapping[str, Sequence[Point]], *, height: int = 400) -> str:
    """Draw lines over two logarithmic scales: accounts to the right, milliseconds upwards."""
    points = [point for line in lines.values() for point in line]
    low, high = (round_down(min(y for _, y in points)), round_up(max(y for _, y in points)))
    most = max(x for x, _ in points)
    bottom, top = height - 40, 20

    def place(point: Point) -> Point:
        x = LEFT + math.log10(point[0]) / math.log10(most) * (WIDTH - LEFT - RIGHT)
        y = bottom - math.log10(point[1] / low) / math.log10(high / low) * (bottom - top)
        return round(x, 1), round(y, 1)

    parts = [_grid(place, sorted({x for x, _ in points}), low, high, bottom)]
    taken: list[float] = []
    for colour, (label, line) in zip(COLOURS, lines.items(), strict=False):
        at = [place(point) for point in line]
        path = " ".join(f"{x},{y}" for x, y in at)
        dots = "".join(f"<circle cx='{x}' cy='{y}' r='3' fill='{colour}'/>" for x, y in at)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        text = _free(at[-1][1] + 4, taken)
        parts += [dots, _words(WIDTH - RIGHT + 12, text, label, colour)]
    return _svg("Broadcast: milliseconds from the click, by accounts", height, parts)


def _free(y: float, taken: list[float]) -> float:
    """Return the next place for a label where none is yet."""
    while any(abs(y - other) < 14 for other in taken):
        y += 14
    taken.append(y)
    return round(y, 1)


def _grid(place: Any, xs: Sequence[float], low: float, high: float, bottom: float) -> str:
    parts = []
    value = low
    while value <= high:
        _, y = place((1, value))
        parts.append(f"<path d='M{LEFT} {y}H{WIDTH - RIGHT}' stroke='{GRID}'/>")
        words = f"{value:g} ms"
        parts.append(
            f"<text x='{LEFT - 8}' y='{y + 4}' fill='{FAINT}' text-anchor='end'>{words}</text>"
        )
        value *= 10 if value < 1 else (2 if f"{value:g}"[0] in "15" else 2.5)
    for count in xs:
        x, _ = place((count, low))
        parts.append(_words(x, bottom + 20, f"{count:,.0f}", FAINT, "middle"))
    return "".join(parts)


def round_down(value: float) -> float:
    """Return the next of 1, 2, 5, 10, … below."""
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (5, 2, 1) if step * power <= value))


def round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, … above."""
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))


def stacked(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Draw one bar of stages for each number of accounts, all to their own full width."""
    names = list(next(iter(rows.values())))
    parts, width = [], WIDTH - LEFT - 30
    for number, (count, stages) in enumerate(rows.items()):
        y, x, total = 52 + number * 46, float(LEFT), sum(stages.values())
        parts.append(
            f"<text x='{LEFT - 8}' y='{y + 17}' fill='{INK}' text-anchor='end'>{count}</text>"
        )
        for colour, name in zip(COLOURS, names, strict=False):
            wide = round(stages[name] / total * width, 1)
            parts.append(f"<rect x='{x}' y='{y}' width='{wide}' height='26' fill='{colour}'/>")
            if wide > 34:
                middle = round(x + wide / 2, 1)
                parts.append(_words(middle, y + 17, f"{stages[name]:g}", GROUND, "middle"))
            x = round(x + wide, 1)
    for number, (colour, name) in enumerate(zip(COLOURS, names, strict=False)):
        x = LEFT + number * 88
        parts.append(f"<rect x='{x}' y='22' width='10' height='10' fill='{colour}'/>")
        parts.append(_words(x + 14, 31, name, INK))
    title = "Where the milliseconds go, by accounts; medians"
    return _svg(title, 60 + len(rows) * 46, parts)


def _words(x: float, y: float, words: str, colour: str, anchor: str = "start") -> str:
    return f"<text x='{x}' y='{y}' fill='{colour}' text-anchor='{anchor}'>{words}</text>"


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' {FONT} role='img'>"
    )
    ground = f"<title>{title}</title><rect width='100%' height='100%' fill='{GROUND}'/>"
    return "\n".join([head, ground, *parts, "</svg>"]) + "\n"
