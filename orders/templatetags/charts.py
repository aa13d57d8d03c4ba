"""Draw charts as SVG: numbers and classes only, so that the strict policy of the site holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from orders.domain.plots import Scale, place, points, signed, spread
from orders.templatetags.desk import money, plain, price
from strategies.domain.payoff import Payoff, Point

register = template.Library()

WIDTH, HEIGHT = 300, 132
_TOP, _RIGHT, _LEFT = 8, 8, 46
# A row of strikes below the plot, and how far apart labels of one row must be.
_ROW, _GAP = 11, 28
_LINE_OF_TEXT = 10
# The market is drawn true to scale up to so many widths of the trade away, then at the edge.
_FAR = 8


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where everything lies in a payoff plot."""

    x: Scale
    y: Scale
    curve: Sequence[Point]
    labels: Sequence[tuple[Decimal, int]]
    bottom: float

    @property
    def zero(self) -> str:
        return place(self.y(0))


@register.simple_tag
def payoff(found: Payoff, now: Decimal | None = None) -> SafeString:
    """Draw what a trade is worth at expiration; read out as a sentence.

    Args:
        now: the price of the underlying, marked if it is known.
    """
    frame = _frame(found, now)
    parts = [
        *_areas(frame),
        f'<path class="zero" d="M{_LEFT} {frame.zero}H{WIDTH - _RIGHT}"/>',
        f'<polyline class="line" points="{points(_places(frame, frame.curve))}"/>',
        *_strikes(frame),
        *_amounts(frame),
        *(
            f'<circle class="even" cx="{place(frame.x(at))}" cy="{frame.zero}" r="2.5"/>'
            for at in found.break_evens
            if frame.x.low <= at <= frame.x.high
        ),
        *_market(frame, now),
    ]
    # Every part is made of numbers and of our own words.
    drawn = mark_safe("".join(parts))  # noqa: S308
    return format_html(
        '<svg class="chart payoff" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH,
        HEIGHT,
        _sentence(found, now),
        drawn,
    )


def _frame(found: Payoff, now: Decimal | None) -> _Frame:
    low, high = _window(found, now)
    x = Scale(float(low), float(high), _LEFT, WIDTH - _RIGHT)
    rows = spread([x(strike) for strike in found.strikes], gap=_GAP)
    bottom = HEIGHT - 4 - _ROW * (max(rows, default=0) + 1)
    curve = found.curve(low, high)
    y = Scale.over([0, *(gain for _, gain in curve)], start=bottom, end=_TOP)
    return _Frame(x, y, curve, list(zip(found.strikes, rows, strict=True)), bottom)


def _window(found: Payoff, now: Decimal | None) -> tuple[Decimal, Decimal]:
    """Return the prices to draw between: the strikes with room beside them, the market if near."""
    marks = [*found.strikes, *found.break_evens]
    if not marks:
        marks = [now or Decimal(1)]
    span = max(marks) - min(marks)
    room = max(span * Decimal("0.4"), max(marks) * Decimal("0.004"))
    if not found.max_gain or found.max_loss is None or len(found.strikes) < 2:
        room = max(room, max(marks) * Decimal("0.04"))
    if now is not None and min(marks) - span * _FAR <= now <= max(marks) + span * _FAR:
        marks.append(now)
    return max(min(marks) - room, Decimal(0)), max(marks) + room


def _places(frame: _Frame, curve: Sequence[Point]) -> list[tuple[float, float]]:
    return [(frame.x(at), frame.y(gain)) for at, gain in curve]


def _areas(frame: _Frame) -> Iterator[str]:
    """Draw what is gained and what is lost, a piece between every two zeros."""
    stretch: list[Point] = []
    for first, second in pairwise(frame.curve):
        stretch = stretch or [first]
        stretch.append(second)
        if second[1] == 0 or second is frame.curve[-1]:
            yield from _area(frame, stretch)
            stretch = []


def _area(frame: _Frame, stretch: Sequence[Point]) -> Iterator[str]:
    total = sum(gain for _, gain in stretch)
    if total:
        corners = [(stretch[0][0], Decimal(0)), *stretch, (stretch[-1][0], Decimal(0))]
        name = "gain" if total > 0 else "loss"
        yield f'<polygon class="{name}" points="{points(_places(frame, corners))}"/>'


def _strikes(frame: _Frame) -> Iterator[str]:
    for strike, row in frame.labels:
        at, below = place(frame.x(strike)), place(frame.bottom + _ROW * (row + 1))
        yield f'<path class="strike" d="M{at} {_TOP}V{place(frame.bottom + _ROW * row + 2)}"/>'
        yield f'<text x="{at}" y="{below}" text-anchor="middle">{plain(strike)}</text>'


def _amounts(frame: _Frame) -> Iterator[str]:
    """Write the highest and the lowest amount, and zero where there is room for it."""
    gains = {gain for _, gain in frame.curve}
    shown = sorted({max(gains), min(gains)}, key=lambda gain: gain != max(gains))
    if all(abs(frame.y(gain) - frame.y(0)) >= _LINE_OF_TEXT for gain in shown):
        shown.append(Decimal(0))
    for gain in shown:
        at = place(frame.y(gain) + 3)
        yield f'<text x="{_LEFT - 4}" y="{at}" text-anchor="end">{signed(gain)}</text>'


def _market(frame: _Frame, now: Decimal | None) -> Iterator[str]:
    """Mark the price of now; one that lies beyond the plot is marked at its edge."""
    if now is None:
        return
    at = frame.x.clamp(now)
    yield f'<path class="now" d="M{place(at)} {_TOP}V{place(frame.bottom)}"/>'
    yield (
        f'<path class="now-head" d="M{place(at - 4)} {_TOP - 6}h8l-4 6z">'
        f"<title>now {price(now)}</title></path>"
    )


def _sentence(found: Payoff, now: Decimal | None) -> str:
    """Say what the plot shows."""
    said = [
        "gains without end" if found.max_gain is None else f"gains at most {money(found.max_gain)}",
        "loses without end"
        if found.max_loss is None
        else f"loses at most {money(-found.max_loss)}",
    ]
    if found.break_evens:
        said.append(f"breaks even at {' and '.join(map(price, found.break_evens))}")
    if now is not None:
        said.append(f"the underlying is at {price(now)}")
    return f"At expiration: {', '.join(said)}."
