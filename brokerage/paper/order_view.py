"""Write an order as Schwab's reads show it."""

from typing import Any

from brokerage.paper.execution import VENUE, wire_time
from brokerage.paper.instruments import Instruments
from brokerage.paper.messages import to_json
from brokerage.paper.orders import Order, OrderLeg


def order_json(order: Order, account_number: str, instruments: Instruments) -> dict[str, Any]:
    """Write an order, field by field in the order of the captures."""
    spec = order.spec
    shown: dict[str, Any] = {
        "session": spec.session,
        "duration": spec.duration,
        "orderType": spec.order_type,
        "complexOrderStrategyType": spec.complex_type,
        "quantity": float(spec.units),
        "filledQuantity": float(order.filled),
        "remainingQuantity": float(order.remaining if order.is_open else 0),
        "requestedDestination": "AUTO",
        "destinationLinkName": VENUE if order.activities else "AutoRoute",
    }
    if spec.limit is not None:
        shown["price"] = float(spec.limit)
    if spec.stop is not None:
        shown |= {"stopPrice": float(spec.stop), "stopType": "STANDARD"}
    shown |= dict(spec.extras)
    shown["orderLegCollection"] = [
        _leg_json(number, leg, instruments) for number, leg in enumerate(spec.legs, start=1)
    ]
    shown |= {
        "orderStrategyType": "SINGLE",
        "orderId": order.id,
        "cancelable": order.is_open,
        "editable": order.is_open,
        "status": order.status,
    }
    return shown | _end_json(order, account_number)


def order_text(order: Order, account_number: str, instruments: Instruments) -> bytes:
    """Write an order as JSON; what has not changed is not written again."""
    if order.text is None:
        order.text = to_json(order_json(order, account_number, instruments))
    return order.text


def _end_json(order: Order, account_number: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if order.status_text:
        shown["statusDescription"] = order.status_text
    shown["enteredTime"] = wire_time(order.entered_at)
    if order.closed_at is not None:
        shown["closeTime"] = wire_time(order.closed_at)
    shown |= {"tag": order.tag, "accountNumber": int(account_number)}
    if order.activities:
        shown["orderActivityCollection"] = order.activities
    return shown


def _leg_json(number: int, leg: OrderLeg, instruments: Instruments) -> dict[str, Any]:
    return {
        "orderLegType": "OPTION" if leg.is_option else "EQUITY",
        "legId": number,
        "instrument": instruments.of(leg.symbol),
        "instruction": leg.instruction.value,
        "positionEffect": "OPENING" if leg.instruction.opens else "CLOSING",
        "quantity": float(leg.quantity),
    }
