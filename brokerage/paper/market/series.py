"""The options of one root and expiration: their strikes, symbols and days."""

import math
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property, lru_cache

from brokerage.paper.market.schedule import ends_month, is_monthly
from brokerage.paper.market.trading_days import DAY, on_or_before
from brokerage.paper.market.underlyings import BY_ROOT, FRIDAY, Underlying
from strategies.domain.new_york import EASTERN
from strategies.domain.symbols import PutCall, format_option

OPENS, CLOSES = time(9, 30), time(16, 0)
MORNING, AFTERNOON = "A", "P"
QUARTER_ENDS = frozenset({3, 6, 9, 12})


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """One listed option."""

    symbol: str
    series: "Series"
    strike: float
    put_call: PutCall

    @property
    def is_call(self) -> bool:
        """Whether it is a call, not a put."""
        return self.put_call is PutCall.CALL


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """The call and the put of one strike."""

    strike: float
    call: Contract
    put: Contract


@dataclass(frozen=True, eq=False)
class Series:
    """The options of one root and expiration; they never change while they are listed.

    Args:
        settlement: A settles at the open of `expires`, P at its close.
        kind: S third Friday, W weekly, M month end, Q quarter end.
        last_day: the last day on which they trade.
        settles_at: Unix seconds.
    """

    underlying: Underlying
    root: str
    expires: date
    settlement: str
    kind: str
    last_day: date
    settles_at: float

    @cached_property
    def rungs(self) -> dict[float, Rung]:
        """Every strike from the lowest to the highest, around the underlying's first price."""
        return {strike: self._rung(strike) for strike in strikes(self.underlying)}

    def _rung(self, strike: float) -> Rung:
        call, put = (self._contract(strike, side) for side in (PutCall.CALL, PutCall.PUT))
        return Rung(strike, call, put)

    def _contract(self, strike: float, side: PutCall) -> Contract:
        symbol = format_option(
            root=self.root, expiration=self.expires, put_call=side, strike=Decimal(str(strike))
        )
        return Contract(symbol, self, strike, side)


def strikes(underlying: Underlying) -> list[float]:
    """Lay the strikes of an underlying: dense around its first price, sparse far away."""
    found: set[float] = set()
    for width, reach in underlying.grid:
        low = max(1, math.ceil(underlying.price * (1 - reach) / width))
        high = math.floor(underlying.price * (1 + reach) / width)
        found.update(round(step * width, 2) for step in range(low, high + 1))
    return sorted(found)


@lru_cache(maxsize=4096)
def make_series(root: str, expires: date) -> Series:
    """Describe the options of a root and expiration, the same object every time."""
    underlying = BY_ROOT[root]
    in_morning = root == underlying.monthly_root or underlying.weekday != FRIDAY
    settles = datetime.combine(expires, OPENS if in_morning else CLOSES, EASTERN)
    return Series(
        underlying,
        root,
        expires,
        MORNING if in_morning else AFTERNOON,
        _kind(underlying, root, expires),
        on_or_before(expires - DAY) if in_morning else expires,
        settles.timestamp(),
    )


def _kind(underlying: Underlying, root: str, expires: date) -> str:
    if is_monthly(underlying, expires) and underlying.monthly_root in (root, None):
        return "S"
    if not underlying.is_index or not ends_month(expires):
        return "W"
    return "Q" if expires.month in QUARTER_ENDS else "M"
