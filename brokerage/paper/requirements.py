"""How much of an account's money its positions tie up, and what it may still spend."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from brokerage.paper.orders import SHARES_PER_CONTRACT
from strategies.domain.symbols import (
    OptionSymbol,
    PutCall,
    is_option,
    parse_option,
    underlying_of,
)

HALF = Decimal("0.5")
read_option = lru_cache(maxsize=8192)(parse_option)


class NakedCall(Exception):
    """A short call is covered by nothing; what it may lose has no bound."""


class Marks(Protocol):
    """Knows what one share is worth."""

    def mark(self, symbol: str) -> Decimal: ...


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
        return sum(self.of.values(), start=self.shares)


@dataclass(slots=True)
class _Series:
    """The options of one root and expiration that an account holds."""

    held: list[tuple[OptionSymbol, int]] = field(default_factory=list)

    def worst_loss(self) -> Decimal:
        """Return the most these options can cost at expiration, USD per share."""
        if sum(count for option, count in self.held if option.put_call is PutCall.CALL) < 0:
            raise NakedCall
        corners = [Decimal(0), *(option.strike for option, _ in self.held)]
        return max(Decimal(0), *(-self._worth(corner) for corner in corners))

    def of_side(self, side: PutCall) -> "_Series":
        return _Series([(option, count) for option, count in self.held if option.put_call is side])

    def _worth(self, price: Decimal) -> Decimal:
        return sum((_payoff(option, price) * count for option, count in self.held), Decimal(0))


def _payoff(option: OptionSymbol, price: Decimal) -> Decimal:
    gain = price - option.strike if option.put_call is PutCall.CALL else option.strike - price
    return max(Decimal(0), gain)


def requirements_of(held: Mapping[str, int], marks: Marks, *, is_margin: bool) -> Requirements:
    """Work out what these holdings tie up.

    Args:
        held: quantity by symbol, negative when short.

    Raises:
        NakedCall: a short call has neither a long call nor shares behind it.
    """
    result = Requirements(shares=_requirement_of_shares(held, marks, is_margin=is_margin))
    for series in _by_series(held).values():
        _charge(series, result)
    return result


def available_funds(
    cash: Decimal, held: Mapping[str, int], marks: Marks, *, is_margin: bool
) -> Decimal:
    """Return what may still be spent on what cannot be borrowed against, USD."""
    shares = sum(
        (count * marks.mark(symbol) for symbol, count in held.items() if not is_option(symbol)),
        start=Decimal(0),
    )
    return cash + shares - requirements_of(held, marks, is_margin=is_margin).total


def _requirement_of_shares(held: Mapping[str, int], marks: Marks, *, is_margin: bool) -> Decimal:
    share = HALF if is_margin else Decimal(1)
    return sum(
        (
            abs(count) * marks.mark(symbol) * share
            for symbol, count in held.items()
            if not is_option(symbol)
        ),
        start=Decimal(0),
    )


def _by_series(held: Mapping[str, int]) -> dict[tuple[str, date], _Series]:
    """Group options that settle together; calls covered by shares need nothing and stay out."""
    free = {symbol: count // SHARES_PER_CONTRACT for symbol, count in held.items() if count > 0}
    series: dict[tuple[str, date], _Series] = defaultdict(_Series)
    for symbol, count in held.items():
        if not count or not is_option(symbol):
            continue
        option, name, covered = read_option(symbol), underlying_of(symbol), 0
        if option.put_call is PutCall.CALL and count < 0:
            covered = min(-count, free.get(name, 0))
            free[name] = free.get(name, 0) - covered
        series[option.root, option.expiration].held.append((option, count + covered))
    return series


def _charge(series: _Series, result: Requirements) -> None:
    """Lay a series' worst loss on the short options of its dearer side."""
    loss = series.worst_loss() * SHARES_PER_CONTRACT
    dearer = max(
        (series.of_side(side) for side in (PutCall.CALL, PutCall.PUT)),
        key=lambda part: part.worst_loss(),
    )
    shorts = [(option.text, -count) for option, count in dearer.held if count < 0]
    contracts = sum(count for _, count in shorts)
    for symbol, count in shorts:
        result.of[symbol] = loss * count / contracts
