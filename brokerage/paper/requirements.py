"""How much of an account's money its positions tie up, and what it may still spend."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from brokerage.paper.market import Market
from strategies.domain.symbols import (
    SHARES_PER_CONTRACT,
    OptionSymbol,
    PutCall,
    is_option,
    parse_option,
    underlying_of,
)

Holding = tuple[str, int]
HALF = Decimal("0.5")
read_option = lru_cache(maxsize=8192)(parse_option)


class NakedCall(Exception):
    """A short call is covered by nothing; what it may lose has no bound."""


@dataclass(slots=True)
class Requirements:
    """What each short position ties up, and all together, USD.

    Args:
        of: by symbol; an iron condor charges its dearer side only.
        shares: for shares, long and short.
    """

    of: dict[str, Decimal] = field(default_factory=dict)
    shares: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """Everything together."""
        return sum(self.of.values(), start=self.shares)


def requirements_of(held: Mapping[str, int], market: Market, *, is_margin: bool) -> Requirements:
    """Work out what these holdings tie up; short ones count negative.

    Raises:
        NakedCall: a short call has neither a long call nor shares behind it.
    """
    result = Requirements(shares=_requirement_of_shares(held, market, is_margin=is_margin))
    for series in _by_series(held).values():
        result.of.update(_charges(tuple(series)))
    return result


def available_funds(
    cash: Decimal, held: Mapping[str, int], market: Market, *, is_margin: bool
) -> Decimal:
    """Return what may still be spent on what cannot be borrowed against, USD."""
    shares = sum(
        (
            count * _share_price(market, symbol)
            for symbol, count in held.items()
            if not is_option(symbol)
        ),
        start=Decimal(0),
    )
    return cash + shares - requirements_of(held, market, is_margin=is_margin).total


def _requirement_of_shares(held: Mapping[str, int], market: Market, *, is_margin: bool) -> Decimal:
    share = HALF if is_margin else Decimal(1)
    return sum(
        (
            abs(count) * _share_price(market, symbol) * share
            for symbol, count in held.items()
            if not is_option(symbol)
        ),
        start=Decimal(0),
    )


def _share_price(market: Market, symbol: str) -> Decimal:
    return market.price(symbol) or Decimal(0)


def _by_series(held: Mapping[str, int]) -> dict[tuple[str, date], list[Holding]]:
    """Group options that settle together; calls covered by shares need nothing and stay out."""
    free = {symbol: count // SHARES_PER_CONTRACT for symbol, count in held.items() if count > 0}
    series: dict[tuple[str, date], list[Holding]] = defaultdict(list)
    for symbol, count in held.items():
        if not count or not is_option(symbol):
            continue
        option, name, covered = read_option(symbol), underlying_of(symbol), 0
        if option.put_call is PutCall.CALL and count < 0:
            covered = min(-count, free.get(name, 0))
            free[name] = free.get(name, 0) - covered
        series[option.root, option.expiration].append((symbol, count + covered))
    return series


@lru_cache(maxsize=4096)  # after a broadcast, many accounts hold the same
def _charges(series: tuple[Holding, ...]) -> dict[str, Decimal]:
    """Lay a series' worst loss on the short options of its dearer side."""
    options = [(read_option(symbol), count) for symbol, count in series]
    loss = _worst_loss(options) * SHARES_PER_CONTRACT
    sides = [[one for one in options if one[0].put_call is side] for side in PutCall]
    dearer = max(sides[::-1], key=_worst_loss)
    shorts = {option.text: -count for option, count in dearer if count < 0}
    contracts = sum(shorts.values())
    return {symbol: loss * count / contracts for symbol, count in shorts.items()}


def _worst_loss(options: list[tuple[OptionSymbol, int]]) -> Decimal:
    """Return the most these options can cost at expiration, USD per share."""
    if sum(count for option, count in options if option.put_call is PutCall.CALL) < 0:
        raise NakedCall
    corners = [Decimal(0), *(option.strike for option, _ in options)]
    return max(Decimal(0), *(-_worth(options, corner) for corner in corners))


def _worth(options: list[tuple[OptionSymbol, int]], price: Decimal) -> Decimal:
    return sum((_payoff(option, price) * count for option, count in options), Decimal(0))


def _payoff(option: OptionSymbol, price: Decimal) -> Decimal:
    gain = price - option.strike if option.put_call is PutCall.CALL else option.strike - price
    return max(Decimal(0), gain)
