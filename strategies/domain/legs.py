"""Small questions about the legs of a trade, and the faults one leg can have by itself."""

from collections.abc import Sequence
from typing import Literal

from strategies.domain.symbols import (
    TICKER_LENGTH,
    InvalidSymbol,
    check_ticker,
    is_index,
    is_option,
    parse_option,
    readable,
    underlying_of,
)
from strategies.domain.tickets import Instruction, Leg, Problem, Ticket

_SHORTHAND = {
    Instruction.BUY: "BUY",
    Instruction.SELL: "SELL",
    Instruction.SELL_SHORT: "SHORT",
    Instruction.BUY_TO_COVER: "COVER",
    Instruction.BUY_TO_OPEN: "BTO",
    Instruction.SELL_TO_OPEN: "STO",
    Instruction.BUY_TO_CLOSE: "BTC",
    Instruction.SELL_TO_CLOSE: "STC",
}


def asset_type(symbol: str) -> Literal["EQUITY", "OPTION"]:
    """Return the asset type that goes on the wire beside a symbol."""
    return "OPTION" if is_option(symbol) else "EQUITY"


def quantities(ticket: Ticket) -> tuple[int, ...]:
    """Return the contracts (or shares) of each leg, in the order of the legs."""
    return tuple(ticket.contracts * leg.ratio for leg in ticket.legs)


def is_opening(legs: Sequence[Leg]) -> bool:
    """Tell whether every leg creates or grows a position."""
    return bool(legs) and all(leg.instruction.opens for leg in legs)


def is_closing(legs: Sequence[Leg]) -> bool:
    """Tell whether every leg reduces a position."""
    return bool(legs) and not any(leg.instruction.opens for leg in legs)


def is_long(leg: Leg) -> bool:
    """Tell whether the position that a leg opens or closes is a long one."""
    return leg.instruction.is_buy == leg.instruction.opens


def describe(leg: Leg) -> str:
    """Write a leg for people: `BTO SPXW 12/05/2025 7200.00 C`, `SHORT AAPL`."""
    return f"{_SHORTHAND[leg.instruction]} {readable(leg.symbol)}"


def find_leg_problem(leg: Leg, index: int) -> Problem | None:
    """Find what makes one leg impossible whatever stands beside it; ratios are judged elsewhere."""
    try:
        for_options = _check_symbol(leg)
    except InvalidSymbol as error:
        return Problem(f"legs[{index}].symbol", "invalid_symbol", str(error))
    if for_options != leg.instruction.is_for_options:
        return Problem(f"legs[{index}].instruction", "wrong_instruction", _right_words(for_options))
    if not for_options and is_index(underlying_of(leg.symbol)):
        return Problem(
            f"legs[{index}].symbol",
            "index_not_tradable",
            f"{leg.symbol} is an index, which has no shares. Trade its options instead.",
        )
    return None


def _check_symbol(leg: Leg) -> bool:
    """Return whether the symbol is an option's, or raise the error that helps most."""
    try:
        if len(leg.symbol) <= TICKER_LENGTH:
            check_ticker(leg.symbol)
            return False
    except InvalidSymbol:
        if not leg.instruction.is_for_options:
            raise
    parse_option(leg.symbol)
    return True


def _right_words(for_options: bool) -> str:
    if for_options:
        return (
            "This symbol is an option's. Use BUY_TO_OPEN, SELL_TO_OPEN, BUY_TO_CLOSE "
            "or SELL_TO_CLOSE."
        )
    return "This symbol is a share's. Use BUY, SELL, SELL_SHORT or BUY_TO_COVER."
