"""What an option is worth: Black-Scholes with a mild smile, and a bid and ask around it."""

import math
from typing import NamedTuple

RATE = 0.04
YEAR = 365.0 * 86_400
FLOOR = 5 * 60 / YEAR  # an option about to expire is still worth its last five minutes
ROOT_TWO = math.sqrt(2.0)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)

SKEW, CURVATURE, SMILE_REACH = 0.06, 0.015, 4.0


class Value(NamedTuple):
    """A model value in USD per share, with its sensitivities; vega and rho are per point."""

    price: float
    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float
    volatility: float


class Pair(NamedTuple):
    """The call and the put of one strike."""

    call: Value
    put: Value


def smile(spot: float, strike: float, years: float, volatility: float) -> float:
    """Bend the volatility: dearer below the market, a little dearer far above it.

    Measured in standard deviations and mild enough for calls to get cheaper, and puts dearer,
    with every strike.
    """
    distance = math.log(strike / spot) / (volatility * math.sqrt(years))
    reach = max(-SMILE_REACH, min(SMILE_REACH, distance))
    return volatility * (1.0 - SKEW * reach + CURVATURE * reach * reach)


def value_pair(spot: float, strike: float, years: float, volatility: float) -> Pair:
    """Value the European call and put of one strike; `volatility` is the one before the smile."""
    sigma = smile(spot, strike, years, volatility)
    root = math.sqrt(years)
    deviation = sigma * root
    d1 = (math.log(spot / strike) + RATE * years) / deviation + deviation / 2.0
    in_money = 0.5 * (1.0 + math.erf((d1 - deviation) / ROOT_TWO))
    hedge = 0.5 * (1.0 + math.erf(d1 / ROOT_TWO))
    density = math.exp(-0.5 * d1 * d1) / ROOT_TWO_PI
    owed = strike * math.exp(-RATE * years)
    call = max(0.0, spot * hedge - owed * in_money)
    put = max(0.0, call - spot + owed)
    gamma = density / (spot * deviation)
    vega = spot * density * root / 100.0
    decay = -spot * density * sigma / (2.0 * root)
    carry = RATE * owed
    theta = (decay - carry * in_money) / 365.0
    rho = owed * years * in_money / 100.0
    return Pair(
        Value(call, hedge, gamma, theta, vega, rho, sigma),
        Value(
            put, hedge - 1.0, gamma, theta + carry / 365.0, vega, rho - owed * years / 100.0, sigma
        ),
    )


class Spread(NamedTuple):
    """How wide a market is: each side `least` plus `share` of the value, at most `most` (USD)."""

    least: float
    share: float
    most: float


PENNY_SPREAD = Spread(0.008, 0.008, 1.0)
NICKEL_SPREAD = Spread(0.02, 0.007, 2.0)


class Ticks(NamedTuple):
    """Price steps in cents: `small` below the threshold (cents), `large` from it on."""

    small: int
    large: int
    threshold: int


def bid_and_ask(value: float, spread: Spread, ticks: Ticks) -> tuple[int, int]:
    """Make the market for a value, in cents, on tick: the bid may be 0, the ask never is.

    Both only ever rise with the value, so dearer options are never quoted below cheaper ones.
    """
    half = min(spread.most, spread.least + spread.share * value)
    low, high = (value - half) * 100.0, (value + half) * 100.0
    down, up = _step(low, ticks), _step(high, ticks)
    return max(0, int(low // down) * down), max(up, -int(-high // up) * up)


def nearest_tick(value: float, ticks: Ticks) -> int:
    """Round a value to the price at which it would trade, in cents, at least one tick."""
    step = _step(value * 100.0, ticks)
    return max(step, round(value * 100.0 / step) * step)


def _step(cents: float, ticks: Ticks) -> int:
    return ticks.large if cents >= ticks.threshold else ticks.small
