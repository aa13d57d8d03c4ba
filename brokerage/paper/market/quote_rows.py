"""Quotes of shares, funds, indexes and options, in the shapes in which the broker sends them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from brokerage.paper.market import noise
from brokerage.paper.market.board import Board
from brokerage.paper.market.figures import option_day, percent, turnover
from brokerage.paper.market.instruments import instrument_id
from brokerage.paper.market.pricing import Value
from brokerage.paper.market.quotes import OptionFigures, quote_share
from brokerage.paper.market.series import CLOSES, Contract
from brokerage.paper.market.underlyings import UNDERLYINGS, Kind, Underlying
from strategies.domain.new_york import EASTERN
from strategies.domain.symbols import readable

Row = dict[str, Any]

SUB_TYPES = {Kind.SHARE: "COE", Kind.FUND: "ETF", Kind.INDEX: ""}
SHARES_A_DAY = 40_000_000
HIGH_52, LOW_52 = 1.18, 0.79


def quotes(board: Board, symbols: Sequence[str]) -> Row:
    """Write the quotes of these symbols; those that are unknown are named under `errors`."""
    reply: Row = {}
    invalid: list[str] = []
    for symbol in symbols:
        underlying, contract = UNDERLYINGS.get(symbol), board.find_contract(symbol)
        if underlying is not None:
            write = _index_row if underlying.is_index else _share_row
            reply[symbol] = write(board, underlying)
        elif contract is not None:
            reply[symbol] = _option_row(board, contract)
        else:
            invalid.append(symbol)
    if invalid:
        reply["errors"] = {"invalidSymbols": invalid}
    return reply


def chain_underlying(board: Board, underlying: Underlying) -> Row:
    """Write the underlying's quote as a chain carries it."""
    tape, at = board.tape(underlying), _milliseconds(board)
    quoted = quote_share(underlying, tape.price())
    trades = turnover(underlying.symbol)
    change = round(tape.last - tape.close, 2)
    return {
        "ask": float(quoted.ask),
        "askSize": trades.ask_size,
        "bid": float(quoted.bid),
        "bidSize": trades.bid_size,
        "change": change,
        "close": round(tape.close, 2),
        "delayed": False,
        "description": underlying.name,
        "exchangeName": underlying.exchange_name,
        "fiftyTwoWeekHigh": _high_52(board, underlying),
        "fiftyTwoWeekLow": _low_52(board, underlying),
        "highPrice": round(tape.high, 2),
        "last": tape.price(),
        "lowPrice": round(tape.low, 2),
        "mark": float(quoted.mark),
        "markChange": change,
        "markPercentChange": percent(change, tape.close),
        "openPrice": round(tape.open, 2),
        "percentChange": percent(change, tape.close),
        "quoteTime": at,
        "symbol": underlying.symbol,
        "totalVolume": _volume(underlying),
        "tradeTime": at,
    }


def _share_row(board: Board, underlying: Underlying) -> Row:
    tape, at = board.tape(underlying), _milliseconds(board)
    change = round(tape.last - tape.close, 2)
    return {
        "assetMainType": "EQUITY",
        "assetSubType": SUB_TYPES[underlying.kind],
        "quoteType": "NBBO",
        "realtime": True,
        "ssid": instrument_id(underlying.symbol),
        "symbol": underlying.symbol,
        "fundamental": _fundamental(underlying),
        "quote": _range(board, underlying) | _share_prices(board, underlying),
        "reference": {
            "cusip": underlying.cusip,
            "description": underlying.name,
            "exchange": underlying.exchange,
            "exchangeName": underlying.exchange_name,
            "isHardToBorrow": False,
            "isShortable": True,
            "htbQuantity": _volume(underlying) // 5,
            "htbRate": 0.0,
        },
        "regular": {
            "regularMarketLastPrice": tape.price(),
            "regularMarketLastSize": turnover(underlying.symbol).last_size,
            "regularMarketNetChange": change,
            "regularMarketPercentChange": percent(change, tape.close),
            "regularMarketTradeTime": at,
        },
    }


def _share_prices(board: Board, underlying: Underlying) -> Row:
    tape, at = board.tape(underlying), _milliseconds(board)
    quoted = quote_share(underlying, tape.price())
    trades = turnover(underlying.symbol)
    change = round(tape.last - tape.close, 2)
    return {
        "askMICId": "ARCX",
        "askPrice": float(quoted.ask),
        "askSize": trades.ask_size,
        "askTime": at,
        "bidMICId": "ARCX",
        "bidPrice": float(quoted.bid),
        "bidSize": trades.bid_size,
        "bidTime": at,
        "lastMICId": "ARCX",
        "lastSize": trades.last_size,
        "mark": float(quoted.mark),
        "markChange": change,
        "markPercentChange": percent(change, tape.close),
        "postMarketChange": 0.0,
        "postMarketPercentChange": 0.0,
        "quoteTime": at,
    }


def _index_row(board: Board, underlying: Underlying) -> Row:
    return {
        "assetMainType": "INDEX",
        "realtime": True,
        "ssid": instrument_id(underlying.symbol),
        "symbol": underlying.symbol,
        "quote": _range(board, underlying),
        "reference": {
            "description": underlying.name,
            "exchange": underlying.exchange,
            "exchangeName": underlying.exchange_name,
        },
    }


def _range(board: Board, underlying: Underlying) -> Row:
    """Write what shares and indexes have in common: the last price, its range and change."""
    tape = board.tape(underlying)
    change = round(tape.last - tape.close, 2)
    return {
        "52WeekHigh": _high_52(board, underlying),
        "52WeekLow": _low_52(board, underlying),
        "closePrice": round(tape.close, 2),
        "highPrice": round(tape.high, 2),
        "lastPrice": tape.price(),
        "lowPrice": round(tape.low, 2),
        "netChange": change,
        "netPercentChange": percent(change, tape.close),
        "openPrice": round(tape.open, 2),
        "securityStatus": "Normal" if board.is_open("EQUITY") else "Closed",
        "totalVolume": _volume(underlying),
        "tradeTime": _milliseconds(board),
    }


def _fundamental(underlying: Underlying) -> Row:
    """Make up a company's figures; nothing of them depends on the time."""
    volume, drawn = float(_volume(underlying)), noise.uniform(underlying.symbol, "company")
    dividend = round(underlying.price * 0.02 * drawn, 2)
    earnings = round(underlying.price / (12 + 30 * drawn), 2)
    return {
        "avg10DaysVolume": volume,
        "avg1YearVolume": round(volume * 1.1),
        "declarationDate": "2025-08-01T04:00:00Z",
        "divAmount": dividend,
        "divExDate": "2025-08-12T04:00:00Z",
        "divFreq": 4,
        "divPayAmount": round(dividend / 4, 4),
        "divPayDate": "2025-08-15T04:00:00Z",
        "divYield": percent(dividend, underlying.price),
        "eps": earnings,
        "fundLeverageFactor": 0.0,
        "lastEarningsDate": "2025-08-01T04:00:00Z",
        "nextDivExDate": "2025-11-12T05:00:00Z",
        "nextDivPayDate": "2025-11-15T05:00:00Z",
        "peRatio": round(underlying.price / earnings, 5),
    }


def _option_row(board: Board, contract: Contract) -> Row:
    return {
        "assetMainType": "OPTION",
        "realtime": True,
        "ssid": instrument_id(contract.symbol),
        "symbol": contract.symbol,
        "quote": _option_prices(board, contract, board.figures(contract)),
        "reference": _option_reference(board, contract),
    }


def _option_prices(board: Board, contract: Contract, quoted: OptionFigures) -> Row:
    at = _milliseconds(board)
    trades = turnover(contract.symbol)
    spot = board.tape(contract.series.underlying).price()
    day = option_day(quoted, contract, spot)
    return _model_figures(quoted.value) | {
        "52WeekHigh": day.high_52,
        "52WeekLow": day.low_52,
        "askPrice": day.ask,
        "askSize": trades.ask_size,
        "bidPrice": day.bid,
        "bidSize": trades.bid_size,
        "closePrice": day.close,
        "highPrice": day.high,
        "indAskPrice": 0.0,
        "indBidPrice": 0.0,
        "indQuoteTime": 0,
        "impliedYield": 0.0,
        "lastPrice": day.last,
        "lastSize": trades.last_size,
        "lowPrice": day.low,
        "mark": day.mark,
        "markChange": day.mark_change,
        "markPercentChange": day.mark_percent,
        "moneyIntrinsicValue": day.intrinsic,
        "netChange": day.net_change,
        "netPercentChange": day.net_percent,
        "openInterest": trades.open_interest,
        "openPrice": day.close,
        "quoteTime": at,
        "securityStatus": "Normal" if board.is_open("OPTION") else "Closed",
        "timeValue": day.time_value,
        "totalVolume": trades.volume,
        "tradeTime": at,
        "underlyingPrice": spot,
    }


def _model_figures(value: Value) -> Row:
    return {
        "delta": round(value.delta, 8),
        "gamma": round(value.gamma, 8),
        "rho": round(value.rho, 8),
        "theoreticalOptionValue": round(value.price, 8),
        "theta": round(value.theta, 8),
        "vega": round(value.vega, 8),
        "volatility": round(value.volatility * 100, 8),
    }


def _option_reference(board: Board, contract: Contract) -> Row:
    series = contract.series
    underlying, expires = series.underlying, series.expires
    ends = datetime.combine(series.last_day, CLOSES, EASTERN)
    return {
        "contractType": contract.put_call.letter,
        "daysToExpiration": (expires - board.today).days,
        "deliverables": f"100 {underlying.symbol}",
        "description": readable(contract.symbol),
        "exchange": "O",
        "exchangeName": "OPR",
        "exerciseType": "E" if underlying.is_index else "A",
        "expirationDay": expires.day,
        "expirationMonth": expires.month,
        "expirationType": series.kind,
        "expirationYear": expires.year,
        "isPennyPilot": underlying.has_penny_options,
        "lastTradingDay": int(ends.timestamp() * 1000),
        "multiplier": 100.0,
        "settlementType": series.settlement,
        "strikePrice": contract.strike,
        "underlying": underlying.symbol,
        "underlyingAssetType": "INDEX" if underlying.is_index else "EQUITY",
    }


def _milliseconds(board: Board) -> int:
    return int(board.now * 1000)


def _high_52(board: Board, underlying: Underlying) -> float:
    return round(max(underlying.price * HIGH_52, board.tape(underlying).high), 2)


def _low_52(board: Board, underlying: Underlying) -> float:
    return round(min(underlying.price * LOW_52, board.tape(underlying).low), 2)


def _volume(underlying: Underlying) -> int:
    return int(SHARES_A_DAY * (0.1 + noise.uniform(underlying.symbol, "volume")))
