"""What to close next in one account: never more than is held, and never into a naked short.

Quantities are whole contracts or shares; a position is negative where the account is short.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from strategies.domain.catalog import recognise
from strategies.domain.legs import describe
from strategies.domain.symbols import (
    SHARES_PER_CONTRACT,
    InvalidSymbol,
    OptionSymbol,
    PutCall,
    is_option,
    parse_option,
    underlying_of,
)
from strategies.domain.tickets import Instruction, Leg, Strategy

Quantities = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an exit must know of one account.

    Args:
        wanted: what is still to be closed, as the position that it is: −1 for one short contract.
        held: every position of the account, also those of other sets.
        closing: by symbol, what orders that are out or on their way may close already.
    """

    wanted: Quantities
    held: Quantities
    closing: Quantities

    def closable(self, symbol: str) -> int:
        """Return how much of a leg may be closed now, never negative."""
        wanted, held = self.wanted.get(symbol, 0), self.held.get(symbol, 0)
        free = abs(held) - self.closing.get(symbol, 0)
        return max(min(abs(wanted), free), 0) if wanted * held > 0 else 0

    def left(self, symbol: str) -> int:
        """Return how much of what is wanted the account holds, whoever closes it already."""
        wanted, held = self.wanted.get(symbol, 0), self.held.get(symbol, 0)
        return min(abs(wanted), abs(held)) if wanted * held > 0 else 0

    @property
    def futures(self) -> tuple[Quantities, ...]:
        """What may be held when the next order fills: of the others none, all, or only sales."""
        sold = {s: self._less(s) if n > 0 else n for s, n in self.held.items()}
        return self.held, sold, {s: self._less(s) for s in self.held}

    def _less(self, symbol: str) -> int:
        held, closing = self.held[symbol], self.closing.get(symbol, 0)
        return max(held - closing, 0) if held > 0 else min(held + closing, 0)


@dataclass(frozen=True, slots=True)
class ClosingOrder:
    """One order that closes.

    Args:
        legs: with closing instructions, ratio 1, in the usual order of the strategy.
        units: of the strategy.
    """

    strategy: Strategy
    legs: tuple[Leg, ...]
    units: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why what is left is not closed by the machine."""

    words: str


def next_order(holdings: Holdings) -> ClosingOrder | Refusal | None:
    """Return the order to send next; None if nothing can be closed now, or nothing is left.

    The whole comes first: all legs of the set in one order. When they are no longer balanced:
    shorts that nothing covers, then what makes a spread, then single shorts, and longs last, for
    until then they may cover a short. Called again when that is filled, it closes the rest.
    """
    free = {symbol: holdings.closable(symbol) for symbol in holdings.wanted}
    open_legs = [symbol for symbol, quantity in free.items() if quantity]
    if not open_legs:
        return None
    if len(open_legs) == len(holdings.wanted) > 1:
        return _order(holdings, open_legs, min(free.values()))
    choices: tuple[_Choice, ...] = (_short, _long)
    if len(open_legs) > 1:
        choices = (_uncovered_short, _pair, *choices)
    for choose in choices:
        if found := choose(holdings, free, open_legs):
            symbols, units = found
            return _order(holdings, symbols, units)
    # While other orders are out, what they will have closed may change the answer.
    return None if any(holdings.closing.values()) else _refuse(holdings, open_legs)


_Found = tuple[list[str], int]
_Choice = Callable[[Holdings, Quantities, list[str]], _Found | None]


def _uncovered_short(holdings: Holdings, free: Quantities, symbols: list[str]) -> _Found | None:
    for symbol in symbols:
        if holdings.wanted[symbol] < 0 and (bare := uncovered(holdings.held, symbol)):
            return [symbol], min(free[symbol], bare)
    return None


def _pair(holdings: Holdings, free: Quantities, symbols: list[str]) -> _Found | None:
    """Find a long and a short leg that make a vertical."""
    options = [symbol for symbol in symbols if is_option(symbol)]
    for long in (symbol for symbol in options if holdings.wanted[symbol] > 0):
        for short in (symbol for symbol in options if holdings.wanted[symbol] < 0):
            if _side(parse_option(long)) == _side(parse_option(short)):
                return [long, short], min(free[long], free[short])
    return None


def _short(holdings: Holdings, free: Quantities, symbols: list[str]) -> _Found | None:
    for symbol in symbols:
        if holdings.wanted[symbol] < 0:
            return [symbol], free[symbol]
    return None


def _long(holdings: Holdings, free: Quantities, symbols: list[str]) -> _Found | None:
    for symbol in symbols:
        spare = min(spare_long(held, symbol) for held in holdings.futures)
        if spare := min(free[symbol], spare):
            return [symbol], spare
    return None


def _refuse(holdings: Holdings, symbols: list[str]) -> Refusal:
    legs = ", ".join(describe(_closing_leg(symbol, holdings.wanted[symbol])) for symbol in symbols)
    return Refusal(f"Not sent, for it would leave a short position that nothing covers: {legs}.")


def _order(holdings: Holdings, symbols: list[str], units: int) -> ClosingOrder:
    legs = [_closing_leg(symbol, holdings.wanted[symbol]) for symbol in symbols]
    if len(legs) == 1 and not is_option(symbols[0]):
        return ClosingOrder(Strategy.EQUITY, tuple(legs), units)
    structure = recognise(legs)
    return ClosingOrder(structure.strategy, structure.legs, units)


def _closing_leg(symbol: str, position: int) -> Leg:
    if is_option(symbol):
        long, short = Instruction.SELL_TO_CLOSE, Instruction.BUY_TO_CLOSE
    else:
        long, short = Instruction.SELL, Instruction.BUY_TO_COVER
    return Leg(symbol, long if position > 0 else short)


def uncovered(held: Quantities, symbol: str) -> int:
    """Return how many shorts of this option's side nothing covers that buying it back would end."""
    if not is_option(symbol):
        return 0
    option = parse_option(symbol)
    missing = _missing(held, option)
    until = [n for day, n in missing.items() if day <= option.expiration]
    return max(0, *missing.values()) if max(until) == max(missing.values()) else 0


def spare_long(held: Quantities, symbol: str) -> int:
    """Return how many of a long (shares) can go so that no more shorts are uncovered than before.

    A long covers shorts of its side that expire with it or before it; shares cover calls, a hundred
    each.
    """
    if not is_option(symbol):
        return _spare_shares(held, symbol)
    option = parse_option(symbol)
    missing = _missing(held, option)
    already = max(0, *missing.values())
    return max(already - max(n for day, n in missing.items() if day <= option.expiration), 0)


def _missing(held: Quantities, option: OptionSymbol) -> dict[date, int]:
    """Return by expiration how many shorts from there on lack a cover; negative if covers are left.

    A cover ends with or after the short. So from every day on there must be as many longs as
    shorts; the day on which most are missing says how many shorts are uncovered.
    """
    chain = [(one, n) for one, n in _options(held) if _chain(one) == _chain(option)]
    days = {option.expiration, *(one.expiration for one, _ in chain)}
    lots = _lots(held, option)
    return {
        day: -sum(n for one, n in chain if one.expiration >= day) - lots for day in sorted(days)
    }


def _lots(held: Quantities, option: OptionSymbol) -> int:
    """Return how many calls the account's shares of the underlying cover."""
    if option.put_call is not PutCall.CALL:
        return 0
    shares = held.get(underlying_of(option.root), 0)
    return max(shares, 0) // SHARES_PER_CONTRACT


def _spare_shares(held: Quantities, symbol: str) -> int:
    shares = max(held.get(symbol, 0), 0)
    calls = [o for o, _ in _options(held) if _chain(o) == (symbol, PutCall.CALL)]
    if not calls:
        return shares
    without = {other: n for other, n in held.items() if other != symbol}
    needed = max(0, *_missing(without, calls[0]).values())
    return shares - min(needed, shares // SHARES_PER_CONTRACT) * SHARES_PER_CONTRACT


def _options(held: Quantities) -> Iterator[tuple[OptionSymbol, int]]:
    for symbol, quantity in held.items():
        try:
            yield parse_option(symbol), quantity
        except InvalidSymbol:  # shares, and whatever else an account may hold
            continue


def _chain(option: OptionSymbol) -> tuple[str, PutCall]:
    return underlying_of(option.root), option.put_call


def _side(option: OptionSymbol) -> tuple[str, PutCall, date]:
    """Return what two options must have in common to make a vertical."""
    return option.root, option.put_call, option.expiration
