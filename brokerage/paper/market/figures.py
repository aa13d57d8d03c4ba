"""The figures around a price that quotes and chains share: changes, ranges, volumes and sizes."""

from functools import lru_cache
from typing import NamedTuple

from brokerage.paper.market import noise
from brokerage.paper.market.quotes import OptionFigures


class Turnover(NamedTuple):
    """How much of something trades; it belongs to the symbol and does not change."""

    volume: int
    open_interest: int
    bid_size: int
    ask_size: int
    last_size: int


class OptionDay(NamedTuple):
    """An option's range and changes since the day before."""

    open: float
    high: float
    low: float
    high_52: float
    low_52: float
    net_change: float
    net_percent: float
    mark_change: float
    mark_percent: float


@lru_cache(maxsize=65_536)
def turnover(symbol: str) -> Turnover:
    """Make up how much of a symbol trades; most options trade little and a few a lot."""
    drawn = noise.integer(symbol, "turnover")
    busy = (drawn & 0xFFFF) / 0xFFFF
    return Turnover(
        volume=int(4_000 * busy**4),
        open_interest=int(9_000 * ((drawn >> 16 & 0xFFFF) / 0xFFFF) ** 3),
        bid_size=1 + (drawn >> 32 & 0x3F),
        ask_size=1 + (drawn >> 40 & 0x3F),
        last_size=1 + (drawn >> 48 & 0x7),
    )


def percent(change: float, before: float) -> float:
    """Return a change in percent of what was before, 0 where nothing was."""
    return round(100.0 * change / before, 2) if before else 0.0


def option_day(quoted: OptionFigures) -> OptionDay:
    """Work out an option's range and changes from what it quotes and its close before."""
    close, last = quoted.close, quoted.last
    net, marked = last - close, quoted.mark - close
    high, low = max(close, last), min(close, last)
    return OptionDay(
        open=close,
        high=high,
        low=low,
        high_52=round(high * 1.8, 2),
        low_52=round(low * 0.4, 2),
        net_change=round(net, 2),
        net_percent=percent(net, close),
        mark_change=round(marked, 2),
        mark_percent=percent(marked, close),
    )
