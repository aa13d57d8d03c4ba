"""What a trade is worth when it expires: its curve, its bounds, and how likely it gains."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import erf, log, sqrt

from strategies.domain.symbols import SHARES_PER_CONTRACT, PutCall, is_option, parse_option
from strategies.domain.tickets import Leg

Point = tuple[Decimal, Decimal]
_ZERO = Decimal(0)
_DAYS_A_YEAR = 365
# What expires today still has part of a day to move.
_SHORTEST_DAYS = 0.25


@dataclass(frozen=True, slots=True)
class Payoff:
    """The gain of a trade at expiration, a line with a bend at every strike.

    Amounts are USD over all contracts; prices are those of the underlying.

    Args:
        strikes: where it bends, rising; none for shares.
        break_evens: where it crosses zero, or begins and ends to be zero, rising.
        max_gain, max_loss: the ends of what can come of it, the loss below zero; None: no end.
        bends: the line at a price of zero and at every strike.
        slope: USD that it gains per dollar of the underlying above the last of them.
    """

    strikes: tuple[Decimal, ...]
    break_evens: tuple[Decimal, ...]
    max_gain: Decimal | None
    max_loss: Decimal | None
    bends: tuple[Point, ...]
    slope: Decimal

    def at(self, price: Decimal) -> Decimal:
        """Return the gain if the underlying ends at a price, from zero up."""
        last_price, last_gain = self.bends[-1]
        if price >= last_price:
            return last_gain + (price - last_price) * self.slope
        for (low, first), (high, second) in pairwise(self.bends):
            if low <= price <= high:
                return first + (second - first) * (price - low) / (high - low)
        raise ValueError(f"No underlying ends at {price}.")

    def curve(self, low: Decimal, high: Decimal) -> list[Point]:
        """Return the line between two prices: its ends, bends and break-evens."""
        inner = {price for price, _ in self.bends} | set(self.break_evens)
        prices = sorted({low, high} | {price for price in inner if low < price < high})
        return [(price, _ZERO if price in self.break_evens else self.at(price)) for price in prices]

    def gains(self) -> list[tuple[Decimal, Decimal | None]]:
        """Return the stretches of prices in which something is gained; None: without end."""
        edges = [_ZERO, *self.break_evens]
        stretches: list[tuple[Decimal, Decimal | None]] = []
        for index, edge in enumerate(edges):
            following = edges[index + 1] if index + 1 < len(edges) else None
            middle = edge + 1 if following is None else (edge + following) / 2
            if self.at(middle) > 0:
                stretches.append((edge, following))
        return stretches


def payoff(legs: Sequence[Leg], cash: Decimal, *, contracts: int = 1) -> Payoff:
    """Return what legs bring that are traded now and held until they expire.

    Args:
        legs: of any trade in the catalog; what is bought counts as held, what is sold as owed.
        cash: what one unit brings when it is traded (negative: costs), USD per share.
        contracts: units of the trade; shares for shares.

    Options count for 100 shares each. Charges, and what changes before expiration, are left out.
    """
    kinks = sorted({strike for _, strike, _ in _options(legs)})
    factor = Decimal(contracts * (SHARES_PER_CONTRACT if kinks else 1))
    bends = tuple((price, _gain(legs, cash, price) * factor) for price in (_ZERO, *kinks))
    slope = Decimal(_final_slope(legs)) * factor
    gains = [gain for _, gain in bends]
    return Payoff(
        strikes=tuple(kinks),
        break_evens=tuple(_zeros(bends, slope)),
        max_gain=None if slope > 0 else max(gains),
        max_loss=None if slope < 0 else min(gains),
        bends=bends,
        slope=slope,
    )


def probability_of_profit(
    payoff: Payoff, *, price: Decimal | None, smile: Mapping[Decimal, Decimal], days: int
) -> Decimal | None:
    """Return how likely the trade gains anything at expiration, 0 to 1, in thousandths.

    Method: the underlying is taken to end lognormally distributed around its price of now (no
    drift, no interest), with the volatility that the chain implies for the break-even in question,
    interpolated between the strikes beside it, over calendar days; today counts as a quarter. The
    probability is that of the stretches between break-evens in which the payoff is above zero. It
    is the market's own estimate (close to one minus the delta of a short strike), not a forecast.

    Args:
        price: of the underlying now.
        smile: implied volatilities in percent by strike.
        days: to expiration.

    Returns:
        None where price or volatilities are not known, or the trade does not expire.
    """
    known = sorted((strike, iv) for strike, iv in smile.items() if iv > 0)
    if price is None or price <= 0 or not known or not payoff.strikes:
        return None
    years = max(days, _SHORTEST_DAYS) / _DAYS_A_YEAR
    total = 0.0
    for low, high in payoff.gains():
        above_low = 1.0 if low <= 0 else _above(low, price, _volatility(low, known), years)
        above_high = 0.0 if high is None else _above(high, price, _volatility(high, known), years)
        total += max(above_low - above_high, 0.0)
    return Decimal(str(min(total, 1.0))).quantize(Decimal("0.001"))


def _options(legs: Iterable[Leg]) -> list[tuple[int, Decimal, PutCall]]:
    """Return sign and ratio, strike and side of each leg that is an option."""
    found = [(leg, parse_option(leg.symbol)) for leg in legs if is_option(leg.symbol)]
    return [(_units(leg), option.strike, option.put_call) for leg, option in found]


def _units(leg: Leg) -> int:
    return leg.ratio if leg.instruction.is_buy else -leg.ratio


def _gain(legs: Sequence[Leg], cash: Decimal, price: Decimal) -> Decimal:
    """Return what one unit has brought in the end, USD per share."""
    total = cash + price * sum(_units(leg) for leg in legs if not is_option(leg.symbol))
    for units, strike, side in _options(legs):
        inside = price - strike if side is PutCall.CALL else strike - price
        total += units * max(inside, _ZERO)
    return total


def _final_slope(legs: Sequence[Leg]) -> int:
    calls = sum(units for units, _, side in _options(legs) if side is PutCall.CALL)
    return calls + sum(_units(leg) for leg in legs if not is_option(leg.symbol))


def _zeros(bends: Sequence[Point], slope: Decimal) -> Iterable[Decimal]:
    """Yield where the line is zero above a price of zero; of a stretch of zeros, its ends."""
    for (low, first), (high, second) in pairwise(bends):
        if low > 0 and first == 0:
            yield low
        if first * second < 0:
            yield low + (high - low) * first / (first - second)
    last_price, last_gain = bends[-1]
    if last_gain == 0 and last_price > 0:
        yield last_price
    elif last_gain * slope < 0:
        yield last_price - last_gain / slope


def _above(edge: Decimal, price: Decimal, volatility: float, years: float) -> float:
    """Return how likely the underlying ends above a price."""
    spread = volatility * sqrt(years)
    distance = (log(price / edge) - spread * spread / 2) / spread
    return (1 + erf(distance / sqrt(2))) / 2


def _volatility(price: Decimal, known: Sequence[tuple[Decimal, Decimal]]) -> float:
    """Return the volatility at a price (1 is 100 %): between strikes in a straight line."""
    if price <= known[0][0]:
        return float(known[0][1]) / 100
    for (low, first), (high, second) in pairwise(known):
        if price <= high:
            return float(first + (second - first) * (price - low) / (high - low)) / 100
    return float(known[-1][1]) / 100
