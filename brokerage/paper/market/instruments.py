"""What the broker says about an instrument: in orders, in positions and when it is searched."""

from typing import Any

from brokerage.paper.market import noise
from brokerage.paper.market.underlyings import BY_ROOT, UNDERLYINGS, Kind
from strategies.domain.symbols import (
    InvalidSymbol,
    OptionSymbol,
    PutCall,
    parse_option,
    quote_symbol,
    underlying_of,
)

DIGITS_32 = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
CALL_MONTHS, PUT_MONTHS = "ABCDEFGHIJKL", "MNOPQRSTUVWX"
SEARCH_TYPES = {Kind.SHARE: "EQUITY", Kind.FUND: "ETF", Kind.INDEX: "INDEX"}
LOWEST_ID, IDS = 100_000_000, 2_000_000_000


def read_option(symbol: str) -> OptionSymbol | None:
    """Read an option symbol; None for any other text."""
    try:
        return parse_option(symbol)
    except InvalidSymbol:
        return None


def order_instrument(symbol: str) -> dict[str, Any]:
    """Describe an instrument as an order's leg does; refused orders name unknown ones, too."""
    option = read_option(symbol)
    if option is None:
        return {
            "assetType": _order_type(symbol),
            "cusip": _cusip(symbol),
            "symbol": symbol,
            "instrumentId": instrument_id(symbol),
        }
    return {
        "assetType": "OPTION",
        "cusip": option_cusip(option),
        "symbol": symbol,
        "description": describe(option),
        "instrumentId": instrument_id(symbol),
        "type": "VANILLA",
        "putCall": option.put_call.value,
        "underlyingSymbol": option.root,
        "optionDeliverables": [{"symbol": _quoted(symbol), "deliverableUnits": 100.0}],
    }


def position_instrument(symbol: str, net_change: float) -> dict[str, Any]:
    """Describe an instrument as a position does."""
    option = read_option(symbol)
    if option is not None:
        return {
            "assetType": "OPTION",
            "cusip": option_cusip(option),
            "symbol": symbol,
            "description": describe(option),
            "netChange": net_change,
            "type": "VANILLA",
            "putCall": option.put_call.value,
            "underlyingSymbol": _quoted(symbol),
        }
    underlying = UNDERLYINGS.get(symbol)
    facts = {"cusip": _cusip(symbol), "symbol": symbol, "netChange": net_change}
    if underlying is None or underlying.kind is not Kind.FUND:
        return {"assetType": _order_type(symbol), **facts}
    return {
        "assetType": "COLLECTIVE_INVESTMENT",
        **facts,
        "description": underlying.name,
        "type": "EXCHANGE_TRADED_FUND",
    }


def search_row(symbol: str) -> dict[str, Any] | None:
    """Describe a share, fund or index as a search does; None when it is unknown."""
    underlying = UNDERLYINGS.get(symbol)
    if underlying is None:
        return None
    return {
        "cusip": underlying.cusip,
        "symbol": symbol,
        "description": underlying.name,
        "exchange": underlying.exchange_name,
        "assetType": SEARCH_TYPES[underlying.kind],
    }


def option_cusip(option: OptionSymbol) -> str:
    """Write the broker's identification of an option: `0SPXW.AV56210000`."""
    months = CALL_MONTHS if option.put_call is PutCall.CALL else PUT_MONTHS
    day = option.expiration
    # Seven digits are all there is room for: the highest indexes lose their first.
    strike = int(option.strike * 1000) % 10_000_000
    root = option.root.ljust(5, ".")
    return f"0{root}{months[day.month - 1]}{DIGITS_32[day.day]}{day.year % 10}{strike:07d}"


def describe(option: OptionSymbol) -> str:
    """Write an option in words: `S & P 500 INDEX 01/31/2025 $6210 Call`."""
    underlying = BY_ROOT.get(option.root)
    name = underlying.name if underlying else option.root
    strike = f"{option.strike.normalize():f}"
    return f"{name} {option.expiration:%m/%d/%Y} ${strike} {option.put_call.value.title()}"


def instrument_id(symbol: str) -> int:
    """Give an instrument its number, the same on every run."""
    return LOWEST_ID + noise.integer(symbol, "id") % IDS


def _quoted(symbol: str) -> str:
    return quote_symbol(underlying_of(symbol))


def _order_type(symbol: str) -> str:
    return "INDEX" if symbol.startswith("$") else "EQUITY"


def _cusip(symbol: str) -> str:
    underlying = UNDERLYINGS.get(symbol)
    return underlying.cusip if underlying else ""
