"""What things quote: bid, ask, mark and last of shares, indexes, options and several legs."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from brokerage.paper.market import pricing
from brokerage.paper.market.series import Contract, Rung
from brokerage.paper.market.tape import Tape
from brokerage.paper.market.underlyings import Underlying
from strategies.domain.tickets import Strategy
from strategies.domain.ticks import tick_for

SHARE_SPREAD = 0.00003  # of the price, each side, at least a cent
THREE_DOLLARS = 300  # in cents; from here on an option's price step is the larger one


@dataclass(frozen=True, slots=True)
class Quote:
    """What a share, index or option quotes, USD per share.

    Args:
        delta: signed; 1 for shares and indexes.
        iv: a year's volatility, 0.16 for 16 %.
    """

    bid: Decimal
    ask: Decimal
    mark: Decimal
    last: Decimal
    delta: float
    iv: float


@dataclass(frozen=True, slots=True)
class NetQuote:
    """What several legs quote for one unit, unrounded; positive when the customer receives.

    Args:
        natural: selling at the bids and buying at the asks.
        mid: at the marks.
    """

    natural: Decimal
    mid: Decimal


class OptionFigures(NamedTuple):
    """What an option quotes, in whole cents, with the model's value behind it."""

    value: pricing.Value
    bid: int
    ask: int
    last: int
    close: int

    def quote(self) -> Quote:
        """Write them as money."""
        return Quote(
            Decimal(self.bid).scaleb(-2),
            Decimal(self.ask).scaleb(-2),
            Decimal((self.bid + self.ask) * 5).scaleb(-3),
            Decimal(self.last).scaleb(-2),
            self.value.delta,
            self.value.volatility,
        )


def money(price: float) -> Decimal:
    """Write a price in whole cents."""
    return Decimal(f"{price:.2f}")


def quote_share(underlying: Underlying, price: float) -> Quote:
    """Quote a share around its last price; an index has one price only."""
    last = money(price)
    half = Decimal(0) if underlying.is_index else money(max(0.01, price * SHARE_SPREAD))
    return Quote(max(last - half, Decimal(0)), last + half, last, last, 1.0, underlying.volatility)


def net_quote(legs: Iterable[tuple[Quote, bool, int]]) -> NetQuote:
    """Add up legs of (quote, is bought, ratio)."""
    natural = mid = Decimal(0)
    for quote, is_buy, ratio in legs:
        natural += -ratio * quote.ask if is_buy else ratio * quote.bid
        mid += -ratio * quote.mark if is_buy else ratio * quote.mark
    return NetQuote(natural, mid)


@cache
def option_ticks(root: str) -> pricing.Ticks:
    """Look up in which steps a root's single options are quoted."""
    small, large = (
        int(tick_for(Strategy.SINGLE_OPTION, [root], price) * 100)
        for price in (Decimal(1), Decimal(10))
    )
    return pricing.Ticks(small, large, THREE_DOLLARS)


def quote_rung(rung: Rung, tape: Tape, valued_at: float) -> Iterable[tuple[str, OptionFigures]]:
    """Work out what both options of a strike quote at a time (Unix seconds)."""
    series = rung.call.series
    years = max(pricing.FLOOR, (series.settles_at - valued_at) / pricing.YEAR)
    pair = pricing.value_pair(tape.price(), rung.strike, years, series.underlying.volatility)
    yield rung.call.symbol, _figures(rung.call, pair.call, tape)
    yield rung.put.symbol, _figures(rung.put, pair.put, tape)


def _figures(contract: Contract, value: pricing.Value, tape: Tape) -> OptionFigures:
    ticks = option_ticks(contract.series.root)
    spread = pricing.PENNY_SPREAD if ticks.small == 1 else pricing.NICKEL_SPREAD
    bid, ask = pricing.bid_and_ask(value.price, spread, ticks)
    last = pricing.nearest_tick(value.price, ticks)
    before = value.price - value.delta * (tape.last - tape.close)
    return OptionFigures(value, bid, ask, last, max(1, int(before * 100)))
