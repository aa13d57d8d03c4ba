"""What the broker charges for a fill, as its previews and transactions list it."""

from decimal import Decimal

from strategies.domain.symbols import is_index, underlying_of

COMMISSION = Decimal("0.65")
OPTION_REGULATORY_FEE = Decimal("0.01")
INDEX_FEE_ABOVE_ONE, INDEX_FEE_BELOW_ONE = Decimal("0.56"), Decimal("0.47")


def fees_of(symbol: str, price: Decimal, *, is_option: bool) -> dict[str, Decimal]:
    """Return the charges for one contract or share, by Schwab's names; shares are free."""
    if not is_option:
        return {}
    charges = {"COMMISSION": COMMISSION, "OPT_REG_FEE": OPTION_REGULATORY_FEE}
    if is_index(underlying_of(symbol)):
        charges["INDEX_OPTION_FEE"] = INDEX_FEE_ABOVE_ONE if price >= 1 else INDEX_FEE_BELOW_ONE
    return charges


def total_fee(symbol: str, price: Decimal, *, is_option: bool) -> Decimal:
    """Return all charges for one contract or share, USD."""
    return sum(fees_of(symbol, price, is_option=is_option).values(), start=Decimal(0))
