"""Replies carry exactly the keys that the broker's captures have, with their types."""

import json
from datetime import date

import pytest

from tests.unit.paper_market.markets import (
    WEDNESDAY_NOON,
    chain_of,
    expirations_of,
    make_market,
    rows,
)

OPTION = "NVDA  251128P00175000"
NOON_MS = int(WEDNESDAY_NOON.timestamp() * 1000)


def words(text: str) -> set[str]:
    return set(text.split())


SHARE_QUOTE_KEYS = words(
    "52WeekHigh 52WeekLow askMICId askPrice askSize askTime bidMICId bidPrice bidSize bidTime"
    " closePrice highPrice lastMICId lastPrice lastSize lowPrice mark markChange markPercentChange"
    " netChange netPercentChange openPrice postMarketChange postMarketPercentChange quoteTime"
    " securityStatus totalVolume tradeTime"
)
FUNDAMENTAL_KEYS = words(
    "avg10DaysVolume avg1YearVolume declarationDate divAmount divExDate divFreq divPayAmount"
    " divPayDate divYield eps fundLeverageFactor lastEarningsDate nextDivExDate nextDivPayDate"
    " peRatio"
)
OPTION_QUOTE_KEYS = words(
    "52WeekHigh 52WeekLow askPrice askSize bidPrice bidSize closePrice delta gamma highPrice"
    " indAskPrice indBidPrice indQuoteTime impliedYield lastPrice lastSize lowPrice mark markChange"
    " markPercentChange moneyIntrinsicValue netChange netPercentChange openInterest openPrice"
    " quoteTime rho securityStatus theoreticalOptionValue theta timeValue totalVolume tradeTime"
    " underlyingPrice vega volatility"
)
OPTION_REFERENCE_KEYS = words(
    "contractType daysToExpiration deliverables description exchange exchangeName exerciseType"
    " expirationDay expirationMonth expirationType expirationYear isPennyPilot lastTradingDay"
    " multiplier settlementType strikePrice underlying underlyingAssetType"
)
INDEX_QUOTE_KEYS = words(
    "52WeekHigh 52WeekLow closePrice highPrice lastPrice lowPrice netChange netPercentChange"
    " openPrice securityStatus totalVolume tradeTime"
)
CHAIN_KEYS = words(
    "symbol status strategy interval isDelayed isIndex interestRate underlyingPrice volatility"
    " daysToExpiration dividendYield numberOfContracts assetMainType assetSubType isChainTruncated"
    " callExpDateMap putExpDateMap"
)
CONTRACT_KEYS = words(
    "putCall symbol description exchangeName bid ask last mark bidSize askSize bidAskSize lastSize"
    " highPrice lowPrice openPrice closePrice totalVolume tradeTimeInLong quoteTimeInLong netChange"
    " volatility delta gamma theta vega rho openInterest timeValue theoreticalOptionValue"
    " theoreticalVolatility optionDeliverablesList strikePrice expirationDate daysToExpiration"
    " expirationType lastTradingDay multiplier settlementType deliverableNote percentChange"
    " markChange markPercentChange intrinsicValue extrinsicValue optionRoot exerciseType high52Week"
    " low52Week nonStandard pennyPilot inTheMoney mini"
)


@pytest.mark.parametrize(("symbol", "sub_type"), [("AAPL", "COE"), ("SPY", "ETF")])
def test_the_quote_of_a_share(symbol, sub_type):
    reply = make_market().quotes_json([symbol])
    row = reply[symbol]

    assert set(reply) == {symbol}
    assert set(row) == {
        "assetMainType", "assetSubType", "quoteType", "realtime", "ssid", "symbol",
        "fundamental", "quote", "reference", "regular",
    }  # fmt: skip
    assert set(row["quote"]) == SHARE_QUOTE_KEYS
    assert set(row["fundamental"]) == FUNDAMENTAL_KEYS
    assert set(row["reference"]) == {
        "cusip", "description", "exchange", "exchangeName", "isHardToBorrow", "isShortable",
        "htbQuantity", "htbRate",
    }  # fmt: skip
    assert set(row["regular"]) == {
        "regularMarketLastPrice", "regularMarketLastSize", "regularMarketNetChange",
        "regularMarketPercentChange", "regularMarketTradeTime",
    }  # fmt: skip
    assert (row["assetMainType"], row["assetSubType"]) == ("EQUITY", sub_type)
    assert row["quote"]["bidPrice"] < row["quote"]["lastPrice"] < row["quote"]["askPrice"]
    assert row["quote"]["quoteTime"] == NOON_MS


def test_the_quote_of_an_option():
    row = make_market().quotes_json([OPTION])[OPTION]

    assert set(row) == {"assetMainType", "realtime", "ssid", "symbol", "quote", "reference"}
    assert set(row["quote"]) == OPTION_QUOTE_KEYS
    assert set(row["reference"]) == OPTION_REFERENCE_KEYS
    assert row["reference"]["description"] == "NVDA 11/28/2025 175.00 P"
    assert row["reference"]["deliverables"] == "100 NVDA"
    assert (row["reference"]["contractType"], row["reference"]["daysToExpiration"]) == ("P", 9)
    assert row["reference"]["expirationType"] == "W"


def test_the_quote_of_an_index():
    row = make_market().quotes_json(["$SPX"])["$SPX"]

    assert set(row) == {"assetMainType", "realtime", "ssid", "symbol", "quote", "reference"}
    assert set(row["quote"]) == INDEX_QUOTE_KEYS
    assert set(row["reference"]) == {"description", "exchange", "exchangeName"}


def test_unknown_symbols_are_named_beside_the_known_ones():
    reply = make_market().quotes_json(["XXXX", "AAPL", "SPX"])

    assert set(reply) == {"AAPL", "errors"}
    assert reply["errors"] == {"invalidSymbols": ["XXXX", "SPX"]}


def test_a_chain():
    day = date(2025, 12, 5)
    chain = chain_of(make_market(), "$SPX", from_date=day, to_date=day, strike_count=4)

    assert set(chain) == CHAIN_KEYS
    assert list(chain["callExpDateMap"]) == ["2025-12-05:16"]
    assert all(key.endswith(".0") for key in chain["callExpDateMap"]["2025-12-05:16"])
    assert chain["numberOfContracts"] == 8
    assert (chain["isIndex"], chain["assetMainType"]) == (True, "INDEX")
    for row in rows(chain):
        assert set(row) == CONTRACT_KEYS
        assert row["expirationDate"] == "2025-12-05T21:00:00.000+00:00"
        assert row["lastTradingDay"] == 1764968400000
        assert (row["exerciseType"], row["optionRoot"]) == ("E", "SPXW")
        assert row["deliverableNote"] == "100 $SPX(Cash)"
        assert row["extrinsicValue"] == pytest.approx(row["last"] - row["intrinsicValue"])
        assert row["inTheMoney"] == (row["intrinsicValue"] > 0)


def test_the_strikes_of_a_share_keep_their_halves():
    chain = chain_of(make_market(), "AAPL", to_date=date(2025, 11, 21), strike_count=4)

    assert "232.5" in chain["putExpDateMap"]["2025-11-21:2"]
    assert {row["exerciseType"] for row in rows(chain)} == {"A"}


def test_a_chain_carries_its_underlying_only_on_request():
    market = make_market()
    chain = chain_of(market, "AAPL", strike_count=1, include_underlying=True)
    quote = market.quotes_json(["AAPL"])["AAPL"]["quote"]

    assert set(chain) == CHAIN_KEYS | {"underlying"}
    assert chain["underlyingPrice"] == chain["underlying"]["last"] == quote["lastPrice"]
    assert chain["underlying"]["bid"] == quote["bidPrice"]
    assert chain["underlying"]["quoteTime"] == quote["quoteTime"]


def test_expirations():
    assert expirations_of(make_market(), "AAPL")[0] == {
        "expirationDate": "2025-11-21",
        "daysToExpiration": 2,
        "expirationType": "S",
        "settlementType": "P",
        "optionRoots": "AAPL",
        "standard": True,
    }


def test_expirations_of_spx_tell_how_each_root_settles():
    listed = expirations_of(make_market(), "$SPX")
    kinds = {
        (row["optionRoots"], row["expirationDate"]): (row["expirationType"], row["settlementType"])
        for row in listed
    }

    assert kinds["SPX", "2025-12-19"] == ("S", "A")
    assert kinds["SPXW", "2025-12-19"] == ("W", "P")
    assert kinds["SPXW", "2025-11-28"] == ("M", "P")
    assert kinds["SPXW", "2025-11-24"] == ("W", "P")


def test_what_a_caller_does_to_a_row_does_not_reach_the_next_one():
    market = make_market()
    (row, *_) = rows(chain_of(market, "AAPL", strike_count=1))
    expected = json.dumps(row)
    row.clear()

    assert json.dumps(next(rows(chain_of(market, "AAPL", strike_count=1)))) == expected


def test_open_interest_belongs_to_the_symbol():
    one, other = make_market(seed=1), make_market(seed=2)
    chains = [chain_of(market, "SPY", to_date=date(2025, 11, 21)) for market in (one, other)]
    interests = [[row["openInterest"] for row in rows(chain)] for chain in chains]

    assert interests[0] == interests[1]
    assert len(set(interests[0])) > 100
