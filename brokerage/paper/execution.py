"""Book a fill, a cancel or a replace: activities, positions and cash."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokerage.paper.books import Account, Books, Position
from brokerage.paper.fees import total_fee
from brokerage.paper.instruments import Instruments
from brokerage.paper.matching import Fill
from brokerage.paper.orders import Order, OrderLeg

VENUE = "CDRG"


def wire_time(at: float) -> str:
    """Write a time as orders and transactions do: UTC, whole seconds, offset without a colon."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def book_fill(
    books: Books, order: Order, units: int, fill: Fill, instruments: Instruments, *, now: float
) -> None:
    """Fill some units of an order at these prices."""
    account, at = books.account_of(order), wire_time(now)
    for leg, price in zip(order.spec.legs, fill.leg_prices, strict=True):
        _book_leg(account, leg, leg.ratio * units, price)
    order.filled += units
    legs = [
        _execution_leg(number, leg, leg.ratio * units, price, instruments, at)
        for number, (leg, price) in enumerate(
            zip(order.spec.legs, fill.leg_prices, strict=True), start=1
        )
    ]
    order.activities.append(_activity(books, "FILL", units, order.remaining, legs))
    if not order.remaining:
        order.close("FILLED", now=now)
    books.note(order)


def book_end(
    books: Books, order: Order, status: str, instruments: Instruments, *, now: float
) -> None:
    """End an order as CANCELED, REPLACED or EXPIRED, with the zero-price execution Schwab shows."""
    at = wire_time(now)
    kind = "CANCEL_REPLACE" if status == "REPLACED" else "CANCELED"
    legs = [
        _execution_leg(number, leg, leg.ratio * order.remaining, Decimal(0), instruments, at)
        for number, leg in enumerate(order.spec.legs, start=1)
    ]
    order.activities.append(_activity(books, kind, order.remaining, 0, legs))
    order.close(status, now=now)
    books.note(order)


def _activity(
    books: Books, kind: str, units: int, remaining: int, legs: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "activityType": "EXECUTION",
        "activityId": books.next_activity_id(),
        "executionType": kind,
        "quantity": float(units),
        "orderRemainingQuantity": float(remaining),
        "executionLegs": legs,
    }


def _execution_leg(
    number: int, leg: OrderLeg, quantity: int, price: Decimal, instruments: Instruments, at: str
) -> dict[str, Any]:
    return {
        "legId": number,
        "quantity": float(quantity),
        "mismarkedQuantity": 0.0,
        "price": float(price),
        "time": at,
        "instrumentId": instruments.of(leg.symbol)["instrumentId"],
    }


def _book_leg(account: Account, leg: OrderLeg, quantity: int, price: Decimal) -> None:
    fee = total_fee(leg.symbol, price, is_option=leg.is_option)
    account.cash -= leg.sign * quantity * leg.multiplier * price + fee * quantity
    position = account.positions.setdefault(leg.symbol, Position(0))
    _change(position, leg.sign * quantity, price, fee)
    if not position.quantity:
        del account.positions[leg.symbol]


def _change(position: Position, change: int, price: Decimal, fee: Decimal) -> None:
    """Add to a position; what is taken away leaves the average as it is."""
    total = position.quantity + change
    if position.quantity * change >= 0:
        position.price = _average(position.quantity, position.price, change, price)
        position.fees = _average(position.quantity, position.fees, change, fee)
    elif total * change > 0:  # through zero to the other side
        position.price, position.fees = price, fee
    position.quantity = total


def _average(held: int, old: Decimal, change: int, new: Decimal) -> Decimal:
    return (old * abs(held) + new * abs(change)) / (abs(held) + abs(change))
