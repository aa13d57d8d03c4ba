"""Add up executions: quantities and prices per leg, and the net price of the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

_CENTS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class LegTotal:
    """What is filled of one leg.

    Args:
        quantity: what the leg wants in all, contracts or shares.
        filled: how much of it is filled.
        cost: sum of price times quantity over its fills.
    """

    is_buy: bool
    quantity: int
    filled: Decimal
    cost: Decimal

    @property
    def average_price(self) -> Decimal | None:
        return (self.cost / self.filled).quantize(_CENTS) if self.filled else None


def shows(legs: Sequence[LegTotal], *, units: Decimal, contracts: int) -> bool:
    """Whether the executions of every leg add up to these units of the strategy.

    Args:
        contracts: the units that the whole order is for.
    """
    return all(leg.filled * contracts >= units * leg.quantity for leg in legs)


def net_price(legs: Sequence[LegTotal], *, contracts: int) -> Decimal | None:
    """Return the net price per unit, positive, or None while a leg has no fill.

    Each leg counts with its average price times its ratio; sells add, buys subtract.
    """
    total = Decimal(0)
    for leg in legs:
        if not leg.filled:
            return None
        value = leg.cost / leg.filled * leg.quantity / contracts
        total += -value if leg.is_buy else value
    return abs(total).quantize(_CENTS, rounding=ROUND_HALF_EVEN)
