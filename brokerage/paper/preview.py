"""Answer a preview: what the order would cost, and whether it would be accepted."""

from decimal import Decimal
from typing import Any

from brokerage.paper import checks
from brokerage.paper.books import Account
from brokerage.paper.checks import Verdict
from brokerage.paper.execution import wire_time
from brokerage.paper.fees import COMMISSION, fees_of
from brokerage.paper.instruments import Instruments
from brokerage.paper.market import Market, Quote
from brokerage.paper.orders import NET_TYPES, OrderLeg, OrderSpec
from brokerage.paper.requirements import NakedCall
from strategies.domain.symbols import is_index, underlying_of

WEEKLY = (
    "Please note that you have selected a weekly option series with a "
    '"non-standard" expiration date.'
)


def preview(
    account: Account, spec: OrderSpec, market: Market, instruments: Instruments, *, now: float
) -> dict[str, Any]:
    """Write the answer to a preview of this order."""
    verdict = checks.judge(account, spec, market)
    quotes = [market.quote(leg.symbol) for leg in spec.legs]
    return {
        "orderId": 0,
        "orderStrategy": _strategy(account, spec, verdict, market, now=now)
        | {
            "orderLegs": [
                _leg(number, leg, quote, instruments, is_rejected=bool(verdict.rejection))
                for number, (leg, quote) in enumerate(zip(spec.legs, quotes, strict=True), start=1)
            ]
        },
        "orderValidationResult": _validation(spec, verdict),
        "commissionAndFee": _charges(spec, quotes),
    }


def _strategy(
    account: Account, spec: OrderSpec, verdict: Verdict, market: Market, *, now: float
) -> dict[str, Any]:
    price = abs(checks.expected_price(spec, market))
    amount = float(price * spec.units * spec.legs[0].multiplier)
    is_rejected = bool(verdict.rejection)
    shown: dict[str, Any] = {
        "accountNumber": account.number,
        "advancedOrderType": "NONE",
        "enteredTime": wire_time(now),
        "orderBalance": _balance(account, spec, verdict, market, amount),
        "orderStrategyType": "SINGLE",
        "orderVersion": 1,
        "session": spec.session,
        "status": "REJECTED" if is_rejected else "ACCEPTED",
        "discretionary": False,
        "duration": spec.duration,
        "filledQuantity": 0.0,
        "orderType": "LIMIT" if spec.order_type in NET_TYPES else spec.order_type,
        "orderValue": amount,
        "price": float(price),
        "quantity": float(spec.units),
        "remainingQuantity": 0.0 if is_rejected else float(spec.units),
        "sellNonMarginableFirst": False,
        "strategy": spec.complex_type,
        "amountIndicator": "SHARES",
    }
    return shown | ({"closeTime": wire_time(now)} if is_rejected else {})


def _balance(
    account: Account, spec: OrderSpec, verdict: Verdict, market: Market, amount: float
) -> dict[str, Any]:
    try:
        funds = checks.free_funds(account, market) - verdict.need
    except NakedCall:
        funds = Decimal(0)
    contracts = sum(leg.quantity for leg in spec.legs if leg.is_option)
    return {
        "orderValue": amount,
        "projectedAvailableFund": round(float(funds), 2),
        "projectedBuyingPower": round(float(2 * funds), 2),
        "projectedCommission": float(COMMISSION * contracts),
    }


def _leg(
    number: int, leg: OrderLeg, quote: Quote | None, instruments: Instruments, *, is_rejected: bool
) -> dict[str, Any]:
    described = instruments.of(leg.symbol)
    shown: dict[str, Any] = {
        "askPrice": float(quote.ask) if quote else 0.0,
        "bidPrice": float(quote.bid) if quote else 0.0,
        "lastPrice": float(quote.last) if quote else 0.0,
        "markPrice": float(quote.mark) if quote else 0.0,
        "projectedCommission": float(COMMISSION * leg.quantity) if leg.is_option else 0.0,
        "legId": number,
        "assetType": described["assetType"],
        "instruction": leg.instruction.value,
        "positionEffect": "OPENING" if leg.instruction.opens else "CLOSING",
        "instrument": {
            name: fact for name, fact in described.items() if name not in ("cusip", "instrumentId")
        },
    }
    return shown | ({"finalSymbol": leg.symbol} if is_rejected else {})


def _validation(spec: OrderSpec, verdict: Verdict) -> dict[str, Any]:
    if verdict.rejection:
        return {"rejects": [{"activityMessage": verdict.rejection, "originalSeverity": "REJECT"}]}
    leg = spec.legs[0]
    if leg.is_option and is_index(underlying_of(leg.symbol)):
        return {"warns": [{"activityMessage": WEEKLY, "originalSeverity": "WARN"}]}
    return {}


def _charges(spec: OrderSpec, quotes: list[Quote | None]) -> dict[str, Any]:
    commissions, fees = [], []
    for leg, quote in zip(spec.legs, quotes, strict=True):
        price = quote.mark if quote else Decimal(0)
        charges = fees_of(leg.symbol, price, is_option=leg.is_option)
        own = charges.pop("COMMISSION", Decimal(0))
        commissions.append(
            {
                "commissionValues": [
                    {"value": 0.0, "type": "BASE_CHARGE"},
                    {"value": float(own * leg.quantity), "type": "COMMISSION"},
                ]
            }
        )
        fees.append(
            {
                "feeValues": [
                    {"value": float(fee * leg.quantity), "type": name}
                    for name, fee in charges.items()
                ]
            }
        )
    return {
        "commission": {"commissionLegs": commissions},
        "fee": {"feeLegs": fees},
        "trueCommission": {"commissionLegs": commissions},
    }
