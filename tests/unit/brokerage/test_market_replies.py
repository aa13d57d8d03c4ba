"""Chains, expirations, quotes and hours as the broker really shows them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from brokerage import errors
from brokerage.schwab.replies import (
    Expiration,
    MarketSession,
    read_chain,
    read_expirations,
    read_market_hours,
    read_quotes,
)
from tests.unit.brokerage.answering import reply

CONTRACT = {
    "putCall": "CALL",
    "symbol": "SPXW  250520C05660000",
    "bid": 76,
    "ask": 77.4,
    "mark": 76.7,
    "volatility": 18.658,
    "delta": 0.509,
    "openInterest": 12,
    "strikePrice": 5660,
    "multiplier": 100,
    "settlementType": "P",
    "optionRoot": "SPXW",
    "nonStandard": False,
    "pennyPilot": False,
}


def chain(contract, side="callExpDateMap"):
    return {
        "symbol": "$SPX",
        "status": "SUCCESS",
        "underlyingPrice": 5659.91,
        "callExpDateMap": {},
        "putExpDateMap": {},
        side: {"2025-05-20:9": {"5660.0": [contract]}},
    }


def test_a_chain_is_read_by_its_short_names():
    found = read_chain(reply(chain(CONTRACT)))

    (row,) = found.rows
    assert (found.symbol, found.underlying_price) == ("$SPX", Decimal("5659.91"))
    assert (row.symbol, row.root, row.put_call) == ("SPXW  250520C05660000", "SPXW", "CALL")
    assert (row.expiration, row.strike) == (date(2025, 5, 20), Decimal(5660))
    assert (row.bid, row.ask, row.mark) == (Decimal(76), Decimal("77.4"), Decimal("76.7"))
    assert (row.delta, row.iv, row.open_interest) == (Decimal("0.509"), Decimal("18.658"), 12)
    assert (row.settlement, row.multiplier, row.non_standard) == ("P", Decimal(100), False)


def test_a_chain_is_read_by_the_specifications_names_too():
    contract = {
        "putCall": "PUT",
        "symbol": "SPXW  250520P05660000",
        "bidPrice": 1.5,
        "askPrice": 1.6,
        "markPrice": 1.55,
        "isNonStandard": True,
        "isPennyPilot": True,
    }

    (row,) = read_chain(reply(chain(contract, "putExpDateMap"))).rows

    assert (row.bid, row.ask, row.mark) == (Decimal("1.5"), Decimal("1.6"), Decimal("1.55"))
    assert (row.root, row.non_standard, row.penny_pilot) == ("SPXW", True, True)


@pytest.mark.parametrize("greek", [-999, -999.0, "NaN", None, float("nan")])
def test_a_greek_that_was_not_computed_is_none(greek):
    (row,) = read_chain(reply(chain({**CONTRACT, "delta": greek, "volatility": greek}))).rows

    assert (row.delta, row.iv) == (None, None)


def test_a_chain_that_failed_is_not_an_empty_chain():
    with pytest.raises(errors.UnreadableReply):
        read_chain(reply({**chain(CONTRACT), "status": "FAILED"}))


@pytest.mark.parametrize("name", ["expirationDate", "expiration"])
def test_expirations_are_read_under_either_name(name):
    row = {
        name: "2024-10-18",
        "daysToExpiration": 3,
        "settlementType": "A",
        "optionRoots": "SPX, SPXW",
    }

    assert read_expirations(reply({"expirationList": [row]})) == (
        Expiration(date(2024, 10, 18), 3, "A", ("SPX", "SPXW")),
    )


def test_quotes_come_with_the_symbols_the_broker_does_not_know():
    body = {
        "AAPL": {
            "assetMainType": "EQUITY",
            "quote": {
                "askPrice": 234.88,
                "bidPrice": 234.86,
                "lastPrice": 234.87,
                "mark": 234.88,
                "closePrice": 232.15,
                "quoteTime": 1729295935436,
                "securityStatus": "Normal",
            },
        },
        "$SPX": {"assetMainType": "INDEX", "quote": {"lastPrice": 6071.17}},
        "errors": {"invalidSymbols": ["XXXX"]},
    }

    found = read_quotes(reply(body))

    apple = found.by_symbol["AAPL"]
    assert (apple.bid, apple.ask, apple.mark) == (
        Decimal("234.86"),
        Decimal("234.88"),
        Decimal("234.88"),
    )
    assert apple.quoted_at == datetime(2024, 10, 18, 23, 58, 55, 436000, tzinfo=UTC)
    assert (found.by_symbol["$SPX"].bid, found.by_symbol["$SPX"].last) == (None, Decimal("6071.17"))
    assert found.invalid == ("XXXX",)


def test_an_open_day_has_sessions_in_utc():
    span = {"start": "2025-07-21T09:30:00-04:00", "end": "2025-07-21T16:15:00-04:00"}
    product = {
        "date": "2025-07-21",
        "marketType": "OPTION",
        "product": "IND",
        "isOpen": True,
        "sessionHours": {"regularMarket": [span]},
    }

    (hours,) = read_market_hours(reply({"option": {"IND": product}}))

    assert (hours.market, hours.product, hours.on, hours.is_open) == (
        "OPTION",
        "IND",
        date(2025, 7, 21),
        True,
    )
    assert hours.sessions == (
        MarketSession(
            "regularMarket",
            datetime(2025, 7, 21, 13, 30, tzinfo=UTC),
            datetime(2025, 7, 21, 20, 15, tzinfo=UTC),
        ),
    )


def test_a_closed_day_has_none():
    product = {
        "date": "2025-07-20",
        "marketType": "EQUITY",
        "product": "equity",
        "isOpen": False,
    }

    (hours,) = read_market_hours(reply({"equity": {"equity": product}}))

    assert (hours.is_open, hours.sessions) == (False, ())
