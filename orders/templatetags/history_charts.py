"""Draw how the fills of a broadcast lie, and where its milliseconds went."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from orders.domain.plots import Scale, nice_ticks, place, spread
from orders.domain.timings import Bar, Timings
from orders.templatetags.desk import price

register = template.Library()

WIDTH = 360
BUDGET_MS = 200
# Answers later than this are drawn at the edge: one slow account must not squash the others.
LATEST_MS = 2000
# More accounts than this are drawn as how many took how long.
MOST_BARS = 100
_SIDE, _AXIS = 8, 13
_DRIFT_HEIGHT, _DRIFT_TOP = 78, 18
_MOST_PRICES, _LABEL_GAP = 24, 32
_BINS, _BINS_HEIGHT = 36, 110


@register.simple_tag
def drift(
    prices: Mapping[Decimal, int], limit: Decimal | None, average: Decimal | None
) -> SafeString:
    """Draw in how many accounts each price was filled; the limit and the average are marked.

    Args:
        prices: USD per unit; not empty.
    """
    bars = gather(prices)
    marks = [one for one in (limit, average) if one is not None]
    x = Scale.over([*bars, *marks], start=_SIDE + 12, end=WIDTH - _SIDE - 12)
    bottom = _DRIFT_HEIGHT - _AXIS
    y = Scale(0, max(bars.values()), bottom, _DRIFT_TOP)
    parts = [
        f'<path class="axis" d="M0 {bottom + 0.5}H{WIDTH}"/>',
        *_marks(limit, average, x, bottom),
        *_price_bars(bars, x, y),
    ]
    return _svg("drift-plot", _DRIFT_HEIGHT, drift_words(prices, limit, average), parts)


def gather(prices: Mapping[Decimal, int]) -> dict[Decimal, int]:
    """Return the prices with their counts, neighbours put together if there are too many."""
    if len(prices) <= _MOST_PRICES:
        return dict(prices)
    low, high = min(prices), max(prices)
    step = (high - low) / _MOST_PRICES
    bars: dict[Decimal, int] = {}
    for at, count in prices.items():
        number = min(int((at - low) / step), _MOST_PRICES - 1)
        middle = (low + step * number + step / 2).quantize(Decimal("0.0001"))
        bars[middle] = bars.get(middle, 0) + count
    return bars


def drift_words(
    prices: Mapping[Decimal, int], limit: Decimal | None, average: Decimal | None
) -> str:
    """Say what the histogram shows."""
    count = sum(prices.values())
    said = [
        f"{count} account order{'' if count == 1 else 's'} filled "
        f"from {price(min(prices))} to {price(max(prices))}"
    ]
    if average is not None:
        said.append(f"on average at {price(average)}")
    if limit is not None:
        said.append(f"the limit is {price(limit)}")
    return f"{', '.join(said)}."


def _price_bars(bars: Mapping[Decimal, int], x: Scale, y: Scale) -> Iterator[str]:
    places = sorted(bars)
    gap = min((x(after) - x(before) for before, after in pairwise(places)), default=16.0)
    width = max(min(gap * 0.6, 16.0), 1.5)
    rows = spread([x(at) for at in places], gap=_LABEL_GAP)
    for at, row in zip(places, rows, strict=True):
        top, middle, count = y(bars[at]), x(at), bars[at]
        yield (
            f'<rect class="bar" x="{place(middle - width / 2)}" y="{place(top)}" '
            f'width="{place(width)}" height="{place(y(0) - top)}"/>'
        )
        if row:
            continue
        yield _label(middle, _DRIFT_HEIGHT - 3, price(at))
        yield _label(middle, top - 2, str(count))


def _label(x: float, y: float, words: str) -> str:
    return f'<text x="{place(x)}" y="{place(y)}" text-anchor="middle">{words}</text>'


def _marks(
    limit: Decimal | None, average: Decimal | None, x: Scale, bottom: float
) -> Iterator[str]:
    if limit is not None:
        at = place(x(limit))
        yield f'<path class="limit" d="M{at} 0V{bottom}"><title>limit {price(limit)}</title></path>'
    if average is not None:
        at = place(x(average) - 4)
        yield (
            f'<path class="mark" d="M{at} 0h8l-4 6z"><title>average {price(average)}</title></path>'
        )


@register.simple_tag
def waterfall(timings: Timings) -> SafeString:
    """Draw when each account was claimed, sent and answered; for many, how many when."""
    end = scale_end(timings)
    x = Scale(0, end, _SIDE, WIDTH - _SIDE)
    is_many = len(timings.bars) > MOST_BARS
    thick = _thick(len(timings.bars))
    height = _BINS_HEIGHT if is_many else _AXIS + 4 + thick * len(timings.bars)
    bottom = height - _AXIS
    drawn = _bins(timings.bars, x, bottom) if is_many else _bars(timings.bars, x, thick)
    return _svg(
        "waterfall",
        height,
        waterfall_words(timings),
        [*_time_axis(x, bottom, end), *drawn, *_budget(x, bottom)],
    )


def scale_end(timings: Timings) -> float:
    """Return up to how many milliseconds the plot reaches."""
    return max(min(timings.all_answered, LATEST_MS), BUDGET_MS) * 1.06


def waterfall_words(timings: Timings) -> str:
    """Say what the waterfall shows."""
    count = len(timings.bars)
    sent, answered = timings.all_sent, timings.all_answered
    words = (
        f"{count} request{'' if count == 1 else 's'} sent within {sent:.0f} ms of the click, "
        f"answered within {answered:.0f} ms; the line is at {BUDGET_MS} ms."
    )
    missing = timings.unanswered
    return f"{words} {missing} without an answer." if missing else words


def _thick(count: int) -> int:
    """Return how high a bar is, with the space below it."""
    return 8 if count <= 12 else 4 if count <= 50 else 3


def _bars(bars: Sequence[Bar], x: Scale, thick: int) -> Iterator[str]:
    """Draw two lines per account, all of one kind in one path: a few bytes for each."""
    queued, answered, lost = [], [], []
    for row, bar in enumerate(bars):
        y = place(2 + thick * row + (thick - 1) / 2)
        start, sent, end = x.clamp(bar.claimed), x.clamp(bar.sent), x.clamp(bar.end)
        queued.append(f"M{place(start)} {y}H{place(sent)}")
        if bar.answered is None:
            lost.append(f"M{place(sent)} {y}h4")
        else:
            answered.append(f"M{place(sent)} {y}H{place(max(end, sent + 0.5))}")
    for name, lines in (("queued", queued), ("answered", answered), ("lost", lost)):
        if lines:
            yield f'<path class="{name}" stroke-width="{thick - 1}" d="{"".join(lines)}"/>'


def _bins(bars: Sequence[Bar], x: Scale, bottom: float) -> Iterator[str]:
    """Draw how many requests were out, and how many answers in, at which time."""
    edges = [x.low + (x.high - x.low) * number / _BINS for number in range(_BINS + 1)]
    counts = {
        "queued": count_in([bar.sent for bar in bars], edges),
        "answered": count_in([bar.answered for bar in bars if bar.answered is not None], edges),
    }
    y = Scale(0, max(max(one) for one in counts.values()) or 1, bottom, 10)
    width = (x(edges[1]) - x(edges[0])) / 2 - 0.5
    for shift, (name, found) in enumerate(counts.items()):
        boxes = [
            f"M{place(x(edge) + shift * width)} {place(bottom)}"
            f"V{place(y(count))}h{place(width)}V{place(bottom)}z"
            for edge, count in zip(edges, found, strict=False)
            if count
        ]
        if boxes:
            yield f'<path class="{name}-box" d="{"".join(boxes)}"/>'


def count_in(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Return how many values lie between every two edges; those beyond count at the ends."""
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(max(bisect_right(edges, value) - 1, 0), len(counts) - 1)] += 1
    return counts


def _time_axis(x: Scale, bottom: float, end: float) -> Iterator[str]:
    for tick in nice_ticks(0, end, most=6):
        at = place(x(tick))
        yield f'<path class="rule" d="M{at} 0V{place(bottom)}"/>'
        anchor = "start" if tick == 0 else "middle"
        words = f"{tick:f}".removesuffix(".0") + (" ms" if tick == 0 else "")
        below = place(bottom + _AXIS - 3)
        yield f'<text x="{at}" y="{below}" text-anchor="{anchor}">{words}</text>'


def _budget(x: Scale, bottom: float) -> Iterator[str]:
    yield f'<path class="limit" d="M{place(x(BUDGET_MS))} 0V{place(bottom)}"/>'


@register.simple_tag
def where_ms(timings: Timings) -> SafeString:
    """Draw one bar of all stretches, one behind the other, true to their length."""
    total = timings.spans[-1].end if timings.spans else 0.0
    x = Scale(0, total or 1, 0, WIDTH)
    parts = [
        f'<rect class="span-{span.name}" x="{place(x(span.start))}" y="0" '
        f'width="{place(x(span.end) - x(span.start))}" height="12"/>'
        for span in timings.spans
    ]
    said = ", ".join(f"{span.words} {span.ms:.1f} ms" for span in timings.spans)
    return _svg("stretches", 12, f"Where the time went: {said}.", parts)


def _svg(name: str, height: float, words: str, parts: Sequence[str]) -> SafeString:
    # Every part is made of numbers and of our own words.
    drawn = mark_safe("".join(parts))  # noqa: S308
    return format_html(
        '<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        name,
        WIDTH,
        place(height),
        words,
        drawn,
    )
