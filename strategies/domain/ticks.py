"""The steps in which prices may be written."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from strategies.domain.symbols import is_index, underlying_of
from strategies.domain.tickets import Strategy

_HUNDREDTH_CENT = Decimal("0.0001")
_CENT = Decimal("0.01")
_NICKEL = Decimal("0.05")
_DIME = Decimal("0.10")

_ONE_DOLLAR = Decimal(1)
_THREE_DOLLARS = Decimal(3)

# Indexes whose options are priced in cents everywhere.
_CENT_INDEXES = frozenset({"XSP"})
# Well-known members of the exchanges' penny programme. A root that is missing here gets the
# coarser steps, whose prices are also on the finer ones, so nothing is refused for its tick.
PENNY_ROOTS = frozenset(
    {"SPY", "QQQ", "IWM", "DIA", "GLD", "SLV", "TLT", "XLF", "EEM"}
    | {"AAPL", "MSFT", "TSLA", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "AMD", "NFLX"}
    | {"INTC", "BAC", "F"}
)

# Wide enough for every price, and silent: a remainder that cannot be had is NaN, thus not zero.
_SILENT = Context(prec=60, traps=[])


def tick_for(
    strategy: Strategy, symbols: Sequence[str], price: Decimal, *, penny: bool | None = None
) -> Decimal:
    """Return the step on which a price must lie so that Schwab cannot refuse it.

    Args:
        strategy: what the legs make; spreads have other steps than single options.
        symbols: of the legs, at least one; they share their underlying.
        price: USD per share, positive; single options and cheap shares have two steps.
        penny: the chain's word on an option's being in the penny programme; None asks PENNY_ROOTS.

    SPY, QQQ and IWM trade in cents at any price at the exchanges, but Schwab's text does not list
    that, so above three dollars they get its five cents, which both accept.
    """
    underlying = underlying_of(symbols[0])
    if strategy is Strategy.EQUITY:
        return _HUNDREDTH_CENT if price < _ONE_DOLLAR else _CENT
    if underlying in _CENT_INDEXES:
        return _CENT
    if strategy is not Strategy.SINGLE_OPTION:
        return _NICKEL if is_index(underlying) else _CENT
    in_programme = underlying in PENNY_ROOTS if penny is None else penny
    below, above = (_CENT, _NICKEL) if in_programme else (_NICKEL, _DIME)
    return below if price < _THREE_DOLLARS else above


def on_tick(price: Decimal, tick: Decimal) -> bool:
    """Tell whether a price is a whole number of ticks; what is no number is not."""
    return _SILENT.remainder(price, tick) == 0


def round_to_tick(price: Decimal, tick: Decimal, *, up: bool) -> Decimal:
    """Return the nearest price on the tick that is not below (up) or not above the given one.

    Raises:
        ValueError: the price is not a finite number.
    """
    if not price.is_finite():
        raise ValueError(f"{price} is not a price.")
    steps = _SILENT.divide(price, tick)
    whole = steps.to_integral_value(rounding=ROUND_CEILING if up else ROUND_FLOOR)
    return (whole * tick).quantize(tick)
