"""The JSON of an order, key by key as Schwab's own samples and accepted orders have it."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from strategies.domain.tickets import Leg, OrderType, PriceEffect, Strategy, Ticket

LEGS = {
    Strategy.EQUITY: 1,
    Strategy.SINGLE_OPTION: 1,
    Strategy.VERTICAL: 2,
    Strategy.IRON_CONDOR: 4,
}
CENT = Decimal("0.01")
HUNDREDTH_OF_A_CENT = Decimal("0.0001")


def order_body(ticket: Ticket) -> dict[str, Any]:
    """Return the order of one account; prices are strings, quantities whole numbers.

    Raises:
        ValueError: the ticket contradicts itself or has a price the wire cannot carry exactly.
    """
    _check(ticket)
    return {
        "orderType": _order_type(ticket),
        "session": ticket.session.value,
        "duration": ticket.duration.value,
        **_prices(ticket),
        "orderStrategyType": "SINGLE",
        **_shape(ticket),
        "orderLegCollection": [_leg(ticket, leg) for leg in ticket.legs],
    }


def encode(body: Mapping[str, Any]) -> bytes:
    """Return the bytes that are stored, hashed and sent: compact JSON."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def wire_price(price: Decimal, *, shares: bool) -> str:
    """Write a price with two decimals, or four for shares below one dollar.

    Raises:
        ValueError: it is negative or would have to be rounded; rounding is the ticket's business.
    """
    if not price.is_finite() or price < 0:
        raise ValueError(f"{price} is not a price")
    cents = price.quantize(CENT)
    if cents == price:
        return f"{cents:f}"
    fine = price.quantize(HUNDREDTH_OF_A_CENT)
    if shares and price < 1 and fine == price:
        return f"{fine:f}"
    raise ValueError(f"{price} has more decimals than the broker takes")


def _check(ticket: Ticket) -> None:
    if len(ticket.legs) != LEGS[ticket.strategy]:
        raise ValueError(f"{ticket.strategy} has {LEGS[ticket.strategy]} legs")
    if ticket.contracts < 1 or any(leg.ratio < 1 for leg in ticket.legs):
        raise ValueError("quantities start at 1")
    options = ticket.strategy is not Strategy.EQUITY
    if any(leg.instruction.is_for_options is not options for leg in ticket.legs):
        raise ValueError(f"{ticket.strategy} does not take these instructions")
    if len(ticket.legs) > 1 and ticket.order_type not in {OrderType.LIMIT, OrderType.MARKET}:
        raise ValueError("an order with several legs is LIMIT or MARKET")


def _order_type(ticket: Ticket) -> str:
    if len(ticket.legs) == 1 or ticket.order_type is OrderType.MARKET:
        return ticket.order_type.value
    if ticket.price_effect is None:
        raise ValueError("a limit on several legs needs a price effect")
    return ticket.price_effect.value


def _prices(ticket: Ticket) -> dict[str, str]:
    """Return what the order type asks for; NET_ZERO is the one limit without a price."""
    shares = ticket.strategy is Strategy.EQUITY
    prices: dict[str, str] = {}
    if ticket.order_type in {OrderType.LIMIT, OrderType.STOP_LIMIT} and not _is_even(ticket):
        prices["price"] = _positive(ticket.limit, "limit", shares=shares)
    if ticket.order_type in {OrderType.STOP, OrderType.STOP_LIMIT}:
        prices["stopPrice"] = _positive(ticket.stop, "stop", shares=shares)
    return prices


def _is_even(ticket: Ticket) -> bool:
    return len(ticket.legs) > 1 and ticket.price_effect is PriceEffect.NET_ZERO


def _positive(price: Decimal | None, name: str, *, shares: bool) -> str:
    if price is None or price <= 0:
        raise ValueError(f"this order type needs a {name} above zero")
    return wire_price(price, shares=shares)


def _shape(ticket: Ticket) -> dict[str, Any]:
    """Return the keys that differ: shares have none, one option NONE, a spread its units too."""
    match ticket.strategy:
        case Strategy.EQUITY:
            return {}
        case Strategy.SINGLE_OPTION:
            return {"complexOrderStrategyType": "NONE"}
        case _:
            return {
                "complexOrderStrategyType": ticket.strategy.value,
                "quantity": ticket.contracts,
            }


def _leg(ticket: Ticket, leg: Leg) -> dict[str, Any]:
    asset_type = "EQUITY" if ticket.strategy is Strategy.EQUITY else "OPTION"
    return {
        "instruction": leg.instruction.value,
        "quantity": ticket.contracts * leg.ratio,
        "instrument": {"symbol": leg.symbol, "assetType": asset_type},
    }
