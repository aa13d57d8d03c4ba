"""Scale a trade to one account."""

from decimal import ROUND_FLOOR, Context, Decimal

# Products are cut, never rounded up: 3 x 0.333… must not become 1.
_CUTTING = Context(rounding=ROUND_FLOOR)


def size(contracts: int, multiplier: Decimal) -> int:
    """Return an account's contracts: contracts x multiplier, rounded down, never negative.

    Args:
        contracts: units of the strategy that the agent asked for.
        multiplier: the account's size relative to the agent's ticket; 0 leaves the account out.

    Raises:
        ValueError: an argument is negative, or the multiplier is not a finite number.
    """
    if contracts < 0:
        raise ValueError(f"Contracts cannot be negative: {contracts}.")
    if not multiplier.is_finite() or multiplier < 0:
        raise ValueError(f"A multiplier is a finite number from 0 up: {multiplier}.")
    return int(_CUTTING.multiply(Decimal(contracts), multiplier))
