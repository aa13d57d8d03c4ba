"""Write an account, its positions and its balances as Schwab's reads show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from brokerage.paper import checks
from brokerage.paper.books import Account, Position
from brokerage.paper.market import Market
from brokerage.paper.requirements import NakedCall, Requirements, requirements_of
from strategies.domain.symbols import SHARES_PER_CONTRACT, is_option

CENT = Decimal("0.01")
ZERO = Decimal(0)


@dataclass(slots=True)
class Valuation:
    """An account's holdings at the market's prices, USD; short values are negative."""

    requirements: Requirements
    long_options: Decimal = ZERO
    short_options: Decimal = ZERO
    long_shares: Decimal = ZERO
    short_shares: Decimal = ZERO

    @property
    def options(self) -> Decimal:
        """Long and short options together."""
        return self.long_options + self.short_options

    @property
    def shares(self) -> Decimal:
        """Long and short shares together."""
        return self.long_shares + self.short_shares


def account_json(account: Account, market: Market, *, with_positions: bool) -> dict[str, Any]:
    """Write one account."""
    worth = value(account, market)
    shown: dict[str, Any] = {
        "type": "MARGIN" if account.is_margin else "CASH",
        "accountNumber": account.number,
        "roundTrips": 0,
        "isDayTrader": False,
        "isClosingOnlyRestricted": False,
        "pfcbFlag": False,
    }
    if with_positions:
        shown["positions"] = [
            _position_json(symbol, position, market, worth.requirements.of)
            for symbol, position in account.positions.items()
        ]
    balances = _margin_balances if account.is_margin else _cash_balances
    shown |= _as_numbers(balances(account, worth, _funds(account, market)))
    liquidation = _number(account.cash + worth.options + worth.shares)
    return {
        "securitiesAccount": shown,
        "aggregatedBalance": {
            "currentLiquidationValue": liquidation,
            "liquidationValue": liquidation,
        },
    }


def value(account: Account, market: Market) -> Valuation:
    """Value what an account holds."""
    held = {symbol: position.quantity for symbol, position in account.positions.items()}
    try:
        worth = Valuation(requirements_of(held, market, is_margin=account.is_margin))
    except NakedCall:  # only by hand
        worth = Valuation(Requirements())
    for symbol, quantity in held.items():
        amount = quantity * _mark(symbol, market) * _multiplier(symbol)
        if is_option(symbol):
            worth.long_options += max(ZERO, amount)
            worth.short_options += min(ZERO, amount)
        else:
            worth.long_shares += max(ZERO, amount)
            worth.short_shares += min(ZERO, amount)
    return worth


def _funds(account: Account, market: Market) -> Decimal:
    try:
        return checks.free_funds(account, market)
    except NakedCall:
        return ZERO


def _mark(symbol: str, market: Market) -> Decimal:
    quote = market.quote(symbol)
    return quote.mark if quote else ZERO


def _multiplier(symbol: str) -> int:
    return SHARES_PER_CONTRACT if is_option(symbol) else 1


def _position_json(
    symbol: str, position: Position, market: Market, requirements: Mapping[str, Decimal]
) -> dict[str, Any]:
    quantity, is_long = position.quantity, position.quantity > 0
    multiplier = _multiplier(symbol)
    fee = position.fees / multiplier
    average = position.price + fee if is_long else position.price - fee
    amount = quantity * _mark(symbol, market) * multiplier
    gain = amount - quantity * average * multiplier
    side, sign = ("Long", 1) if is_long else ("Short", -1)
    return {
        "shortQuantity": float(max(0, -quantity)),
        "averagePrice": float(average),
        "currentDayProfitLoss": _number(gain),
        "currentDayProfitLossPercentage": _percent(gain, quantity * average * multiplier),
        "longQuantity": float(max(0, quantity)),
        "settledLongQuantity": float(position.previous if is_long else 0),
        "settledShortQuantity": float(0 if is_long else position.previous),
        "instrument": market.position_instrument(symbol),
        "marketValue": _number(amount),
        "maintenanceRequirement": _number(requirements.get(symbol, ZERO)),
        f"average{side}Price": float(position.price),
        f"taxLotAverage{side}Price": float(average),
        f"{side.lower()}OpenProfitLoss": _number(gain),
        f"previousSession{side}Quantity": float(sign * position.previous),
        "currentDayCost": _number(quantity * position.price * multiplier),
    }


def _margin_balances(account: Account, worth: Valuation, funds: Decimal) -> dict[str, Any]:
    cash, opening = account.cash, account.opening_cash
    total = cash + worth.options + worth.shares
    power = 2 * funds
    shared = {
        "availableFunds": funds,
        "availableFundsNonMarginableTrade": funds,
        "buyingPower": power,
        "dayTradingBuyingPower": 2 * power,
    }
    calls = {"maintenanceCall": ZERO, "regTCall": ZERO}
    equity = {"equity": cash + worth.shares, "equityPercentage": 100}
    return {
        "initialBalances": _opening_margin(opening),
        "currentBalances": _current(account, worth, total)
        | shared
        | calls
        | equity
        | {
            "buyingPowerNonMarginableTrade": funds,
            "longMarginValue": worth.long_shares,
            "maintenanceRequirement": worth.requirements.total,
            "marginBalance": min(ZERO, cash),
            "shortBalance": ZERO,
            "shortMarginValue": worth.short_shares,
            "sma": funds,
        },
        "projectedBalances": shared
        | calls
        | {"dayTradingBuyingPowerCall": ZERO, "isInCall": False, "stockBuyingPower": power},
    }


def _opening_margin(opening: Decimal) -> dict[str, Any]:
    """Write the balances of the morning, when the account held nothing."""
    nothing = (
        *(
            "accruedInterest",
            "cashAvailableForTrading",
            "cashReceipts",
            "dayTradingBuyingPowerCall",
        ),
        *("dayTradingEquityCall", "longMarginValue", "longOptionMarketValue", "longStockValue"),
        *("maintenanceCall", "maintenanceRequirement", "moneyMarketFund", "regTCall"),
        *("shortMarginValue", "shortOptionMarketValue", "shortStockValue", "totalCash"),
        *("pendingDeposits", "marginBalance", "shortBalance"),
    )
    same = (
        *("availableFundsNonMarginableTrade", "cashBalance", "equity", "liquidationValue"),
        *("margin", "marginEquity", "mutualFundValue", "accountValue"),
    )
    return (
        dict.fromkeys(nothing, ZERO)
        | dict.fromkeys(same, opening)
        | {
            "bondValue": 4 * opening,
            "buyingPower": 2 * opening,
            "dayTradingBuyingPower": 4 * opening,
            "equityPercentage": 100,
            "isInCall": False,
        }
    )


def _current(account: Account, worth: Valuation, total: Decimal) -> dict[str, Any]:
    """Write the current balances that accounts of both types show."""
    nothing = (
        *("accruedInterest", "cashReceipts", "moneyMarketFund", "savings"),
        *("pendingDeposits", "mutualFundValue", "bondValue"),
    )
    return dict.fromkeys(nothing, ZERO) | {
        "cashBalance": account.cash,
        "longOptionMarketValue": worth.long_options,
        "liquidationValue": total,
        "longMarketValue": worth.long_shares,
        "shortMarketValue": worth.short_shares,
        "shortOptionMarketValue": worth.short_options,
    }


def _cash_balances(account: Account, worth: Valuation, funds: Decimal) -> dict[str, Any]:
    opening = account.opening_cash
    total = account.cash + worth.options + worth.shares
    usable = {"cashAvailableForTrading": funds, "cashAvailableForWithdrawal": funds}
    nothing = (
        *("accruedInterest", "bondValue", "cashReceipts", "longOptionMarketValue"),
        *("longStockValue", "moneyMarketFund", "shortOptionMarketValue", "shortStockValue"),
        *("unsettledCash", "cashDebitCallValue", "pendingDeposits"),
    )
    same = (
        *("cashAvailableForTrading", "cashAvailableForWithdrawal", "cashBalance"),
        *("liquidationValue", "mutualFundValue", "accountValue"),
    )
    return {
        "initialBalances": dict.fromkeys(nothing, ZERO)
        | dict.fromkeys(same, opening)
        | {"isInCall": False},
        "currentBalances": _current(account, worth, total)
        | usable
        | {
            "cashCall": ZERO,
            "longNonMarginableMarketValue": account.cash,
            "totalCash": account.cash,
            "cashDebitCallValue": ZERO,
            "unsettledCash": ZERO,
        },
        "projectedBalances": usable,
    }


def _as_numbers(groups: dict[str, Any]) -> dict[str, Any]:
    """Turn amounts into numbers with two places; yes and no stay."""
    return {
        group: {
            name: amount if isinstance(amount, bool) else _number(amount)
            for name, amount in fields.items()
        }
        for group, fields in groups.items()
    }


def _number(amount: Decimal | int) -> float:
    return float(Decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP))


def _percent(gain: Decimal, cost: Decimal) -> float:
    return _number(100 * gain / abs(cost)) if cost else 0.0
