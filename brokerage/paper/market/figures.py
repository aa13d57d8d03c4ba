"""The figures around a price that quotes and chains share: changes, ranges, volumes and sizes."""

from functools import lru_cache
from typing import NamedTuple

from brokerage.paper.market import noise
from brokerage.paper.market.quotes import OptionFigures
from brokerage.paper.market.series import Contract


class Turnover(NamedTuple):
    """How much of something trades; it belongs to the symbol and does not change."""

    volume: int
    open_interest: int
    bid_size: int
    ask_size: int
    last_size: int


class OptionDay(NamedTuple):
    """An option's prices in USD, their range and their changes since the day before."""

    bid: float
    ask: float
    mark: float
    last: float
    close: float
    high: float
    low: float
    high_52: float
    low_52: float
    net_change: float
    net_percent: float
    mark_change: float
    mark_percent: float
    intrinsic: float
    time_value: float
    extrinsic: float


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


def option_day(quoted: OptionFigures, contract: Contract, spot: float) -> OptionDay:
    """Work out the figures around what an option quotes, from its close before.

    In cents as long as possible: a chain needs thousands of them, and rounding is slow.
    """
    _, bid, ask, last, close = quoted
    both = bid + ask
    high, low = (last, close) if last > close else (close, last)
    above = round(spot * 100) - round(contract.strike * 100)
    intrinsic = above if contract.is_call else -above
    net, marked = last - close, both - 2 * close
    return OptionDay(
        bid / 100,
        ask / 100,
        both / 200,
        last / 100,
        close / 100,
        high / 100,
        low / 100,
        high * 9 // 5 / 100,
        low * 2 // 5 / 100,
        net / 100,
        net * 10_000 // close / 100,
        marked / 200,
        marked * 5_000 // close / 100,
        intrinsic / 100,
        (last - max(0, intrinsic)) / 100,
        (last - intrinsic) / 100,
    )
