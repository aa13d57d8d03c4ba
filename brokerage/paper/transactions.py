"""Write the transactions of an account: one for every fill."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from brokerage.paper.books import Account
from brokerage.paper.fees import fees_of
from brokerage.paper.instruments import Instruments
from brokerage.paper.orders import Order, OrderLeg

DOLLARS = {
    "assetType": "CURRENCY",
    "status": "ACTIVE",
    "symbol": "CURRENCY_USD",
    "description": "USD currency",
    "instrumentId": 1,
    "closingPrice": 0.0,
}


def transactions_of(
    account: Account, orders: Iterable[Order], instruments: Instruments
) -> Iterator[dict[str, Any]]:
    """Go through the trades of an account's orders, in their order."""
    for order in orders:
        for activity in order.activities:
            if activity["executionType"] == "FILL":
                yield _trade(account, order, activity, instruments)


def _trade(
    account: Account, order: Order, activity: dict[str, Any], instruments: Instruments
) -> dict[str, Any]:
    at = activity["executionLegs"][0]["time"]
    charges: dict[str, Decimal] = {}
    items, net = [], Decimal(0)
    for leg, executed in zip(order.spec.legs, activity["executionLegs"], strict=True):
        item = _item(leg, executed, instruments)
        net += Decimal(str(item["cost"]))
        items.append(item)
        price, quantity = Decimal(str(executed["price"])), int(executed["quantity"])
        for name, fee in fees_of(leg.symbol, price, is_option=leg.is_option).items():
            charges[name] = charges.get(name, Decimal(0)) + fee * quantity
    return {
        "activityId": activity["activityId"],
        "time": at,
        "accountNumber": account.number,
        "type": "TRADE",
        "status": "VALID",
        "subAccount": "MARGIN" if account.is_margin else "CASH",
        "tradeDate": at,
        "positionId": order.id,
        "orderId": order.id,
        "netAmount": float(net - sum(charges.values())),
        "transferItems": [*(_fee_item(*charge) for charge in charges.items()), *items],
    }


def _fee_item(name: str, amount: Decimal) -> dict[str, Any]:
    return {
        "instrument": DOLLARS,
        "amount": float(amount),
        "cost": -float(amount),
        "feeType": name,
    }


def _item(leg: OrderLeg, executed: dict[str, Any], instruments: Instruments) -> dict[str, Any]:
    price = Decimal(str(executed["price"]))
    amount = leg.sign * int(executed["quantity"])
    return {
        "instrument": {**instruments.of(leg.symbol), "status": "ACTIVE"},
        "amount": float(amount),
        "cost": float(-amount * leg.multiplier * price),
        "price": executed["price"],
        "positionEffect": "OPENING" if leg.instruction.opens else "CLOSING",
    }
