"""Read the body of an order strictly; what is not an order is refused at once with a 400."""

import re
from decimal import Decimal
from functools import lru_cache, reduce
from math import gcd
from typing import Any

from brokerage.paper.market import Market
from brokerage.paper.messages import Refused, read_object, trader_error
from brokerage.paper.orders import NET_TYPES, STOP_TYPES, OrderLeg, OrderSpec
from strategies.domain.symbols import InvalidSymbol, check_ticker, parse_option
from strategies.domain.tickets import Instruction

ORDER_TYPES = frozenset({"MARKET", "LIMIT"}) | NET_TYPES | STOP_TYPES
SESSIONS = frozenset({"NORMAL", "AM", "PM", "SEAMLESS"})
DURATIONS = frozenset({"DAY", "GOOD_TILL_CANCEL", "FILL_OR_KILL", "IMMEDIATE_OR_CANCEL"}) | {
    "END_OF_WEEK",
    "END_OF_MONTH",
    "NEXT_END_OF_MONTH",
}
COMPLEX_TYPES = frozenset(
    {"NONE", "COVERED", "VERTICAL", "BACK_RATIO", "CALENDAR", "DIAGONAL", "STRADDLE", "STRANGLE"}
    | {"COLLAR_SYNTHETIC", "BUTTERFLY", "CONDOR", "IRON_CONDOR", "VERTICAL_ROLL", "CUSTOM"}
    | {"COLLAR_WITH_STOCK", "DOUBLE_DIAGONAL", "UNBALANCED_BUTTERFLY", "UNBALANCED_CONDOR"}
    | {"UNBALANCED_IRON_CONDOR", "UNBALANCED_VERTICAL_ROLL", "MUTUAL_FUND_SWAP"}
)
ASSET_TYPES = frozenset({"EQUITY", "OPTION"})
SHOWN_AGAIN = ("cancelTime", "releaseTime", "taxLotMethod", "specialInstruction", "stopType")
RESPONSE_ONLY = ("requestedDestination", "tag")
PRICE = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,20})?")
MOST_LEGS = 4
MOST_UNITS = 1_000_000
USUAL_COMPLEX = {1: "NONE", 2: "VERTICAL", 4: "IRON_CONDOR"}


def read_order(text: bytes, market: Market) -> OrderSpec:
    """Read an order.

    Raises:
        Refused: a 400; the text is not an order, or names a symbol that is not traded.
    """
    spec = _read(text)
    for leg in spec.legs:
        if not market.is_listed(leg.symbol):
            raise _bad(f"Symbol '{leg.symbol}' was not found.")
    return spec


@lru_cache(maxsize=256)  # the orders of a broadcast are mostly the same
def _read(text: bytes) -> OrderSpec:
    body = read_object(text)
    for name in RESPONSE_ONLY:
        if name in body:
            raise _bad(f"'{name}' is not allowed in an order.")
    if body.get("orderStrategyType") != "SINGLE":
        raise _bad("'orderStrategyType' must be SINGLE; this broker takes no linked orders.")
    legs = _legs(body)
    spec = OrderSpec(
        order_type=_one_of(body, "orderType", ORDER_TYPES),
        session=_one_of(body, "session", SESSIONS),
        duration=_one_of(body, "duration", DURATIONS),
        complex_type=_complex_type(body, legs),
        units=legs[0].quantity // legs[0].ratio,
        legs=legs,
        limit=_limit(body),
        stop=_price(body, "stopPrice"),
        extras=tuple((name, body[name]) for name in SHOWN_AGAIN if name in body),
    )
    _check_prices(spec)
    _check_combination(spec)
    return spec


def _legs(body: dict[str, Any]) -> tuple[OrderLeg, ...]:
    rows = body.get("orderLegCollection")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_LEGS:
        raise _bad(f"'orderLegCollection' must hold 1 to {MOST_LEGS} legs.")
    quantities = [_quantity(row) for row in rows]
    units = _units(body, quantities)
    legs = tuple(
        _leg(row, quantity, quantity // units)
        for row, quantity in zip(rows, quantities, strict=True)
    )
    if len({leg.symbol for leg in legs}) != len(legs):
        raise _bad("An order may name a symbol only once.")
    return legs


def _quantity(row: object) -> int:
    if not isinstance(row, dict):
        raise _bad("A leg must be an object.")
    return _whole(row.get("quantity"), "quantity")


def _whole(value: object, name: str) -> int:
    """Read a positive whole number, which may be written 1.0."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _bad(f"'{value}' is not a valid value for {name}")
    if not 0 < value <= MOST_UNITS or value != int(value):
        raise _bad(f"'{value}' is not a valid value for {name}")
    return int(value)


def _units(body: dict[str, Any], quantities: list[int]) -> int:
    """Return how many units of the strategy the legs make."""
    if "quantity" not in body:
        return reduce(gcd, quantities)
    units = _whole(body["quantity"], "quantity")
    if any(quantity % units for quantity in quantities):
        raise _bad("'quantity' does not fit the quantities of the legs.")
    return units


def _leg(row: dict[str, Any], quantity: int, ratio: int) -> OrderLeg:
    instrument = row.get("instrument")
    if not isinstance(instrument, dict):
        raise _bad("A leg must name its instrument.")
    is_option = _one_of(instrument, "assetType", ASSET_TYPES) == "OPTION"
    instruction = Instruction(_one_of(row, "instruction", frozenset(Instruction)))
    if instruction.is_for_options != is_option:
        raise _bad(f"'{instruction}' is not a valid value for instruction of this asset type.")
    symbol = _symbol(instrument.get("symbol"), is_option=is_option)
    return OrderLeg(symbol, instruction, is_option, quantity, ratio)


def _symbol(value: object, *, is_option: bool) -> str:
    if not isinstance(value, str):
        raise _bad("An instrument must have a symbol.")
    try:
        return parse_option(value).text if is_option else check_ticker(value)
    except InvalidSymbol:
        raise _bad(f"Symbol '{value[:40]}' was not found.") from None


def _complex_type(body: dict[str, Any], legs: tuple[OrderLeg, ...]) -> str:
    if "complexOrderStrategyType" in body:
        return _one_of(body, "complexOrderStrategyType", COMPLEX_TYPES)
    return USUAL_COMPLEX.get(len(legs), "CUSTOM")


def _limit(body: dict[str, Any]) -> Decimal | None:
    even = Decimal(0) if body.get("orderType") == "NET_ZERO" else None
    return _price(body, "price") or even


def _price(body: dict[str, Any], name: str) -> Decimal | None:
    """Read a price, written as a number or as text."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not PRICE.fullmatch(str(value)):
        raise _bad(f"'{value}' is not a valid value for {name}")
    return Decimal(str(value))


def _check_prices(spec: OrderSpec) -> None:
    needs_limit = spec.order_type in {"LIMIT", "STOP_LIMIT", "NET_DEBIT", "NET_CREDIT"}
    if needs_limit and not spec.limit:
        raise _bad(f"'price' must be above zero in an order of type {spec.order_type}.")
    if spec.order_type in {"MARKET", "STOP"} and spec.limit is not None:
        raise _bad(f"'price' is not allowed in an order of type {spec.order_type}.")
    if spec.order_type == "NET_ZERO" and spec.limit:
        raise _bad("'price' must be zero in an order of type NET_ZERO.")
    if (spec.order_type in STOP_TYPES) != bool(spec.stop):
        raise _bad("'stopPrice' belongs to orders of the types STOP and STOP_LIMIT.")


def _check_combination(spec: OrderSpec) -> None:
    if spec.is_spread and not all(leg.is_option for leg in spec.legs):
        raise _bad("Only options can be legs of one order; this broker takes no shares with them.")
    if spec.is_spread and spec.order_type not in NET_TYPES | {"MARKET"}:
        raise _bad(f"'{spec.order_type}' is not a valid value for orderType of several legs.")
    if not spec.is_spread and spec.order_type in NET_TYPES:
        raise _bad(f"'{spec.order_type}' is not a valid value for orderType of one leg.")
    if spec.session == "NORMAL":
        return
    if any(leg.is_option for leg in spec.legs):
        raise _bad("Options trade in the session NORMAL only.")
    if spec.order_type != "LIMIT":
        raise _bad("Outside the session NORMAL only limit orders are taken.")


def _one_of(row: dict[str, Any], name: str, allowed: frozenset[str]) -> str:
    value = row.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise _bad(f"'{value}' is not a valid value for {name}")
    return value


def _bad(message: str) -> Refused:
    return trader_error(400, message[:300])
