"""What closing a position at a price brings against what it was entered at."""

from collections.abc import Sequence
from decimal import Decimal

from strategies.domain.symbols import SHARES_PER_CONTRACT
from strategies.domain.tickets import Leg, PriceEffect

_SIGNS = {PriceEffect.NET_CREDIT: 1, PriceEffect.NET_DEBIT: -1, PriceEffect.NET_ZERO: 0}


def gain(
    entry: Decimal, exit_price: Decimal, legs: Sequence[Leg], effect: PriceEffect | None
) -> Decimal:
    """Return the gain of one unit in USD, negative for a loss; fees are not in it.

    Args:
        entry: what the unit was entered at, USD per unit, as it flowed the other way.
        exit_price: what it is closed at, USD per unit, positive.
        legs: the closing ones.
        effect: which way the closing price flows; None for one leg.
    """
    way = _SIGNS[effect] if effect else -1 if legs[0].instruction.is_buy else 1
    size = SHARES_PER_CONTRACT if legs[0].instruction.is_for_options else 1
    return way * (exit_price - entry) * size


def entered_the_other_way(entry_effect: str | None, exit_effect: PriceEffect | None) -> bool:
    """Tell whether what came in at first goes out now, or the other way round.

    It is not so where the market has turned a credit into something that costs nothing to close.
    """
    return (entry_effect, exit_effect) in {
        (None, None),
        (PriceEffect.NET_CREDIT, PriceEffect.NET_DEBIT),
        (PriceEffect.NET_DEBIT, PriceEffect.NET_CREDIT),
    }
