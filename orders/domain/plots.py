"""The arithmetic of charts: where a value lies, where ticks stand, how numbers are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, log10

MINUS = "\N{MINUS SIGN}"

# What a step between ticks may begin with; the next one is ten times the first.
_FIRST_DIGITS = (1, 2, 5, 10)

Number = Decimal | float


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight way from values to places in a drawing.

    Args:
        low, high: the values at the ends; if they are equal, everything lies in the middle.
        start, end: where these lie; for the vertical axis of an SVG the start is below, so larger.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[Number], *, start: float, end: float) -> "Scale":
        """Return the scale on which these values, at least one, just have room."""
        return cls(float(min(values)), float(max(values)), start, end)

    def __call__(self, value: Number) -> float:
        """Return the place of a value, also of one beyond the ends."""
        span = self.high - self.low
        share = 0.5 if span == 0 else (float(value) - self.low) / span
        return self.start + share * (self.end - self.start)

    def clamp(self, value: Number) -> float:
        """Return the place of a value; one beyond an end is drawn at the end."""
        return self(min(max(float(value), self.low), self.high))


def nice_ticks(low: Number, high: Number, *, most: int = 5) -> list[Decimal]:
    """Return at most so many round values between two, both included: `0, 50, 100`.

    Round means 1, 2 or 5 times a power of ten apart. Without room there is one tick, or none.
    """
    first, last = float(low), float(high)
    if last <= first:
        return [Decimal(str(low))]
    step = _nice_step((last - first) / max(most - 1, 1))
    while floor(last / step) - ceil(first / step) + 1 > most:
        step = _nice_step(step * 1.01)
    places = range(ceil(first / step), floor(last / step) + 1)
    unit = Decimal(str(step))
    return [unit * place for place in places]


def _nice_step(least: float) -> float:
    """Return the smallest round step that is no smaller than this."""
    power = 10.0 ** floor(log10(least))
    digit = next(one for one in _FIRST_DIGITS if one >= least / power * (1 - 1e-9))
    return float(f"{digit * power:.6g}")


def place(value: float) -> str:
    """Write a coordinate as short as can be: one decimal, no needless zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def points(pairs: Sequence[tuple[float, float]]) -> str:
    """Write the points of a polyline or polygon."""
    return " ".join(f"{place(x)},{place(y)}" for x, y in pairs)


def short(value: Number) -> str:
    """Write an amount as an axis has room for it: `12`, `1.5k`, `−2.3M`."""
    amount = float(value)
    for limit, letter in ((999_500_000, "B"), (999_500, "M"), (9_995, "k")):
        if abs(amount) >= limit:
            size = {"B": 1e9, "M": 1e6, "k": 1e3}[letter]
            return _true_minus(f"{amount / size:.1f}".removesuffix(".0") + letter)
    return _true_minus(f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}")


def signed(value: Number) -> str:
    """Write an amount with its sign as an axis has room for it: `+765`, `−235`, `0`."""
    return f"+{short(value)}" if value > 0 else short(value)


def spread(places: Sequence[float], *, gap: float) -> list[int]:
    """Return on which row each label stands, so that no two of a row are closer than the gap.

    Args:
        places: where the labels are, rising.
    """
    last: list[float] = []
    rows = []
    for at in places:
        row = next((i for i, end in enumerate(last) if at - end >= gap), len(last))
        last[row : row + 1] = [at]
        rows.append(row)
    return rows


def _true_minus(text: str) -> str:
    return text.replace("-", MINUS)
