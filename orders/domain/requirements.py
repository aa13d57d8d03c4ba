"""How much of an account's money one unit of a trade ties up, as far as we can tell."""

from decimal import Decimal

from strategies.domain.catalog import Structure
from strategies.domain.symbols import SHARES_PER_CONTRACT, PutCall, parse_option
from strategies.domain.tickets import PriceEffect, Strategy

HALF = Decimal("0.5")
# The least that a margin account must hold for a naked put.
LEAST_OF_STRIKE = Decimal("0.10")


def requirement(structure: Structure, cash: Decimal, *, is_margin: bool) -> Decimal | None:
    """Return the money of its own that an account needs for one unit that opens, USD.

    It is rather too low than too high: what it calls too much, the broker would refuse. Charges are
    left out, and positions that would lower the requirement are not looked at.

    Args:
        cash: what the unit brings (negative: costs), USD per share.

    Returns:
        None where only the broker can tell: a short call may be covered.
    """
    if structure.strategy is Strategy.EQUITY:
        return abs(cash) * (HALF if is_margin else 1)
    if structure.width is not None and structure.price_effect is PriceEffect.NET_CREDIT:
        return max(structure.width - cash, Decimal(0)) * SHARES_PER_CONTRACT
    leg = structure.legs[0]
    if structure.width is None and not leg.instruction.is_buy:
        return _of_short_option(leg.symbol, cash, is_margin=is_margin)
    return max(-cash, Decimal(0)) * SHARES_PER_CONTRACT


def own_money(buying_power: Decimal, *, is_margin: bool) -> Decimal:
    """Return what an account can spend without borrowing.

    Half of a margin account's buying power is lent, and options are not bought on credit.
    """
    return buying_power * (HALF if is_margin else 1)


def _of_short_option(symbol: str, cash: Decimal, *, is_margin: bool) -> Decimal | None:
    option = parse_option(symbol)
    if option.put_call is PutCall.CALL:
        return None
    if is_margin:
        return option.strike * LEAST_OF_STRIKE * SHARES_PER_CONTRACT
    return max(option.strike - cash, Decimal(0)) * SHARES_PER_CONTRACT
