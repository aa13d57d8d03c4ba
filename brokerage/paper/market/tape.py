"""The prices of one underlying: its last, the day's range and the close before."""

import math
from dataclasses import dataclass
from typing import Self

from brokerage.paper.market import noise
from brokerage.paper.market.pricing import YEAR
from brokerage.paper.market.underlyings import Underlying

LOWEST, HIGHEST = 0.01, 99_999.99
OVERNIGHT = 86_400 / YEAR / 4


@dataclass(slots=True)
class Tape:
    """USD per share; `last` keeps the fractions of a cent that a slow market needs to move."""

    last: float
    open: float
    high: float
    low: float
    close: float

    @classmethod
    def begin(cls, underlying: Underlying, seed: int) -> Self:
        """Open the market a little away from the underlying's first price."""
        shock = draw(underlying, seed, "open")
        first = underlying.price * move(underlying.volatility, OVERNIGHT, shock)
        return cls(first, first, first, first, underlying.price)

    def price(self) -> float:
        """Return the last price in whole cents."""
        return round(self.last, 2)

    def trade(self, price: float) -> None:
        """Let the underlying trade at this price."""
        self.last = min(HIGHEST, max(LOWEST, price))
        self.high = max(self.high, self.last)
        self.low = min(self.low, self.last)

    def turn_day(self) -> None:
        """Begin another day where the one before ended."""
        self.close = self.open = self.high = self.low = self.last

    def saved(self) -> list[float]:
        """Return the prices in the order in which a tape is made of them."""
        return [self.last, self.open, self.high, self.low, self.close]


def draw(underlying: Underlying, seed: int, step: int | str) -> float:
    """Draw an underlying's shock: the same for one driver, and related to the whole market's."""
    market = noise.normal(seed, step, "market")
    own = noise.normal(seed, step, underlying.driver)
    return underlying.beta * market + math.sqrt(1.0 - underlying.beta**2) * own


def move(volatility: float, years: float, shock: float) -> float:
    """Return by what a price is multiplied when it walks for some time, without drift."""
    return math.exp(volatility * math.sqrt(years) * shock - volatility * volatility * years / 2.0)
