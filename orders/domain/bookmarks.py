"""What an account has of a placed order set: by leg, signed as a position, and in whole units."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from math import ceil
from typing import NamedTuple

# By symbol; a position is negative where the account is short.
Quantities = Mapping[str, Decimal]
Ratios = Mapping[str, int]

NOTHING = Decimal(0)
_HUNDREDTH_CENT = Decimal("0.0001")


class SetStatus(StrEnum):
    """How far a placed order set has come.

    OPEN: nobody closes it. CLOSING: an exit is at work in an account. RESIDUAL: none is, but one
    left something that the agent must decide about. FLAT: the broker reports zero of every leg.
    """

    OPEN = "OPEN"
    CLOSING = "CLOSING"
    RESIDUAL = "RESIDUAL"
    FLAT = "FLAT"


class Filled(NamedTuple):
    """What was filled of one leg: signed quantity, and the USD per share that came in for it."""

    quantity: Decimal
    cash: Decimal


def left_of(bookmarked: Quantities, closed: Quantities, gone: Quantities) -> dict[str, Decimal]:
    """Return what is left of a bookmark, never beyond zero.

    Args:
        closed: what exits did, signed as they traded: +1 for one short contract bought back.
        gone: what went otherwise, signed as the position that it was.
    """
    left = {}
    for symbol, quantity in bookmarked.items():
        rest = quantity + closed.get(symbol, NOTHING) - gone.get(symbol, NOTHING)
        left[symbol] = _within(quantity, rest)
    return left


def held_of(left: Quantities, held: Quantities) -> dict[str, Decimal]:
    """Return what of that an account holds: in the same direction, and no more than is left."""
    return {symbol: _within(rest, held.get(symbol, NOTHING)) for symbol, rest in left.items()}


def whole_units(quantities: Quantities, ratios: Ratios) -> int:
    """Return how many units of the strategy these quantities make, each with all of its legs."""
    return min([int(abs(quantities.get(symbol, NOTHING))) // n for symbol, n in ratios.items()])


def begun_units(quantities: Quantities, ratios: Ratios) -> int:
    """Return of how many units there is anything: those that lack legs count as well."""
    return max(ceil(abs(quantities.get(symbol, NOTHING)) / n) for symbol, n in ratios.items())


def entry_price(filled: Mapping[str, Filled], ratios: Ratios) -> Decimal | None:
    """Return the average net price of a unit, positive; None while a leg has no fill."""
    total = NOTHING
    for symbol, ratio in ratios.items():
        leg = filled.get(symbol)
        if leg is None or not leg.quantity:
            return None
        total += leg.cash / abs(leg.quantity) * ratio
    return abs(total).quantize(_HUNDREDTH_CENT)


def _within(bound: Decimal, quantity: Decimal) -> Decimal:
    """Return the part of a quantity that lies between zero and the bound."""
    if bound > 0:
        return min(max(quantity, NOTHING), bound)
    return max(min(quantity, NOTHING), bound)
