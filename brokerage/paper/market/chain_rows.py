"""Option chains and expirations, in the shapes in which the broker sends them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from brokerage.paper.market.board import Board
from brokerage.paper.market.figures import option_day, turnover
from brokerage.paper.market.pricing import RATE
from brokerage.paper.market.quote_rows import chain_underlying
from brokerage.paper.market.quotes import OptionFigures
from brokerage.paper.market.series import CLOSES, Contract, Rung, Series
from brokerage.paper.market.underlyings import Kind, Underlying
from strategies.domain.new_york import EASTERN
from strategies.domain.symbols import readable

Row = dict[str, Any]
ExpirationMap = dict[str, dict[str, list[Row]]]


@dataclass(frozen=True, slots=True)
class ChainFilter:
    """What of a chain is asked for.

    Args:
        contract_type: CALL, PUT or ALL.
        strike_count: how many strikes around the underlying's price.
        from_date: earliest expiration.
        to_date: latest expiration.
        option_type: S standard, NS non-standard (there are none), ALL.
    """

    contract_type: str = "ALL"
    strike_count: int | None = None
    from_date: date | None = None
    to_date: date | None = None
    strike: Decimal | None = None
    option_type: str = "ALL"

    def has(self, series: Series) -> bool:
        """Tell whether an expiration is asked for."""
        return (
            self.option_type != "NS"
            and (self.from_date is None or series.expires >= self.from_date)
            and (self.to_date is None or series.expires <= self.to_date)
        )

    def rungs(self, series: Series, spot: float) -> list[Rung]:
        """Pick the strikes that are asked for, lowest first."""
        rungs = list(series.rungs.values())
        if self.strike is not None:
            rungs = [rung for rung in rungs if rung.strike == float(self.strike)]
        if self.strike_count is None or len(rungs) <= self.strike_count:
            return rungs
        nearest = sorted(rungs, key=lambda rung: abs(rung.strike - spot))[: self.strike_count]
        return sorted(nearest, key=lambda rung: rung.strike)


def chain(
    board: Board, underlying: Underlying, wanted: ChainFilter, *, include_underlying: bool
) -> dict[str, Any]:
    """Write an underlying's chain; roots that share an expiration share its lists."""
    calls: ExpirationMap = {}
    puts: ExpirationMap = {}
    spot = board.tape(underlying).price()
    for series in board.series_of(underlying):
        if wanted.has(series):
            rungs = wanted.rungs(series, spot)
            if wanted.contract_type != "PUT":
                _add(board, calls, series, [rung.call for rung in rungs])
            if wanted.contract_type != "CALL":
                _add(board, puts, series, [rung.put for rung in rungs])
    reply = _head(underlying, spot, calls, puts)
    if include_underlying:
        reply["underlying"] = chain_underlying(board, underlying)
    return reply


def expirations(board: Board, underlying: Underlying) -> dict[str, Any]:
    """Write the expirations of an underlying, one row per root, as each settles its own way."""
    return {
        "status": "SUCCESS",
        "expirationList": [
            {
                "expirationDate": series.expires.isoformat(),
                "daysToExpiration": (series.expires - board.today).days,
                "expirationType": series.kind,
                "settlementType": series.settlement,
                "optionRoots": series.root,
                "standard": series.kind == "S",
            }
            for series in board.series_of(underlying)
        ],
    }


def _head(
    underlying: Underlying, spot: float, calls: ExpirationMap, puts: ExpirationMap
) -> dict[str, Any]:
    days = [int(key.partition(":")[2]) for key in (*calls, *puts)]
    rows = sum(len(row) for side in (calls, puts) for one in side.values() for row in one.values())
    return {
        "symbol": underlying.symbol,
        "status": "SUCCESS",
        "strategy": "SINGLE",
        "interval": 0,
        "isDelayed": False,
        "isIndex": underlying.is_index,
        "interestRate": RATE * 100,
        "underlyingPrice": spot,
        "volatility": 29,
        "daysToExpiration": min(days, default=0),
        "dividendYield": -1 if underlying.is_index else 0,
        "numberOfContracts": rows,
        "assetMainType": "INDEX" if underlying.is_index else "EQUITY",
        "assetSubType": {Kind.INDEX: "", Kind.FUND: "ETF", Kind.SHARE: "COE"}[underlying.kind],
        "isChainTruncated": False,
        "callExpDateMap": calls,
        "putExpDateMap": puts,
    }


def _add(board: Board, side: ExpirationMap, series: Series, contracts: list[Contract]) -> None:
    if not contracts:
        return
    days = (series.expires - board.today).days
    spot, at = board.tape(series.underlying).price(), int(board.now * 1000)
    by_strike = side.setdefault(f"{series.expires.isoformat()}:{days}", {})
    times = {"daysToExpiration": days, "tradeTimeInLong": at, "quoteTimeInLong": at}
    for contract in contracts:
        prices = price_row(contract, board.figures(contract), spot)
        row = fixed_row(contract) | times | prices
        by_strike.setdefault(str(contract.strike), []).append(row)


@lru_cache(maxsize=16_384)
def fixed_row(contract: Contract) -> Row:
    """Write those parts of an option's row that never change."""
    return _series_row(contract.series) | _contract_row(contract)


@lru_cache(maxsize=256)
def _series_row(series: Series) -> Row:
    name = series.underlying.symbol
    closes = datetime.combine(series.expires, CLOSES, EASTERN).astimezone(UTC)
    ends = datetime.combine(series.last_day, CLOSES, EASTERN)
    return {
        "exchangeName": "OPR",
        "optionDeliverablesList": [{"symbol": name, "assetType": "STOCK", "deliverableUnits": 100}],
        "expirationDate": closes.isoformat(timespec="milliseconds"),
        "expirationType": series.kind,
        "lastTradingDay": int(ends.timestamp() * 1000),
        "multiplier": 100,
        "settlementType": series.settlement,
        "deliverableNote": f"100 {name}(Cash)" if series.underlying.is_index else f"100 {name}",
        "optionRoot": series.root,
        "exerciseType": "E" if series.underlying.is_index else "A",
        "nonStandard": False,
        "pennyPilot": series.underlying.has_penny_options,
        "mini": False,
        "theoreticalVolatility": 29,
    }


def _contract_row(contract: Contract) -> Row:
    trades = turnover(contract.symbol)
    return {
        "putCall": contract.put_call.value,
        "symbol": contract.symbol,
        "description": readable(contract.symbol),
        "strikePrice": contract.strike,
        "bidSize": trades.bid_size,
        "askSize": trades.ask_size,
        "bidAskSize": f"{trades.bid_size}X{trades.ask_size}",
        "lastSize": trades.last_size,
        "totalVolume": trades.volume,
        "openInterest": trades.open_interest,
    }


def price_row(contract: Contract, quoted: OptionFigures, spot: float) -> Row:
    """Write those parts of an option's row that move with the market."""
    value, day = quoted.value, option_day(quoted, contract, spot)
    return {
        "bid": day.bid,
        "ask": day.ask,
        "last": day.last,
        "mark": day.mark,
        "closePrice": day.close,
        "openPrice": day.close,
        "highPrice": day.high,
        "lowPrice": day.low,
        "high52Week": day.high_52,
        "low52Week": day.low_52,
        "netChange": day.net_change,
        "percentChange": day.net_percent,
        "markChange": day.mark_change,
        "markPercentChange": day.mark_percent,
        "volatility": round(value.volatility * 100, 3),
        "delta": round(value.delta, 3),
        "gamma": round(value.gamma, 3),
        "theta": round(value.theta, 3),
        "vega": round(value.vega, 3),
        "rho": round(value.rho, 3),
        "theoreticalOptionValue": round(value.price, 3),
        "intrinsicValue": day.intrinsic,
        "timeValue": day.time_value,
        "extrinsicValue": day.extrinsic,
        "inTheMoney": day.intrinsic > 0,
    }
