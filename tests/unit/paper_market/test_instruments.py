"""How instruments are described in orders, in positions and in searches."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.paper_market.markets import WEDNESDAY_NOON, make_market, move_to

CONDOR_LEG = "SPXW  250131C06210000"


def test_the_leg_of_an_order_on_an_option():
    instrument = make_market().instrument(CONDOR_LEG)

    assert isinstance(instrument.pop("instrumentId"), int)
    assert instrument == {
        "assetType": "OPTION",
        "cusip": "0SPXW.AV56210000",
        "symbol": CONDOR_LEG,
        "description": "S & P 500 INDEX 01/31/2025 $6210 Call",
        "type": "VANILLA",
        "putCall": "CALL",
        "underlyingSymbol": "SPXW",
        "optionDeliverables": [{"symbol": "$SPX", "deliverableUnits": 100.0}],
    }


@pytest.mark.parametrize(
    ("symbol", "cusip"),
    [
        ("WMT   260605C00121000", "0WMT..F560121000"),
        ("META  250131P00510000", "0META.MV50510000"),
        ("AAPL  251209P00232500", "0AAPL.X950232500"),
        ("NDXP  251210C23500000", "0NDXP.LA53500000"),
    ],
)
def test_the_cusip_of_an_option_follows_from_its_symbol(symbol, cusip):
    assert make_market().instrument(symbol)["cusip"] == cusip


@pytest.mark.parametrize(
    ("symbol", "cusip"), [("AAPL", "037833100"), ("SPY", "78462F103"), ("XXXX", "")]
)
def test_the_leg_of_an_order_on_a_share(symbol, cusip):
    instrument = make_market().instrument(symbol)

    assert set(instrument) == {"assetType", "cusip", "symbol", "instrumentId"}
    assert (instrument["assetType"], instrument["cusip"]) == ("EQUITY", cusip)


def test_instrument_ids_stay_and_differ():
    one, other = make_market(seed=1), make_market(seed=2)
    symbols = ("AAPL", "SPY", CONDOR_LEG, "SPXW  250131P06210000")
    ids = [one.instrument(symbol)["instrumentId"] for symbol in symbols]

    assert ids == [other.instrument(symbol)["instrumentId"] for symbol in symbols]
    assert len(set(ids)) == len(symbols)


def test_a_position_in_an_option():
    symbol = "META  251121P00742500"
    market = make_market()
    assert market.position_instrument("META  251121P00745000") == {
        "assetType": "OPTION",
        "cusip": "0META.WL50745000",
        "symbol": "META  251121P00745000",
        "description": "META PLATFORMS INC 11/21/2025 $745 Put",
        "netChange": market.quotes_json(["META  251121P00745000"])["META  251121P00745000"][
            "quote"
        ]["netChange"],
        "type": "VANILLA",
        "putCall": "PUT",
        "underlyingSymbol": "META",
    }
    assert market.position_instrument(symbol)["description"].endswith("$742.5 Put")


def test_a_position_in_an_index_option_names_the_index():
    position = make_market().position_instrument("SPXW  251205P06300000")

    assert position["underlyingSymbol"] == "$SPX"


def test_a_position_in_a_share():
    market = make_market()
    market.set_prices({"WMT": Decimal("95.30")})

    assert market.position_instrument("WMT") == {
        "assetType": "EQUITY",
        "cusip": "931142103",
        "symbol": "WMT",
        "netChange": -1.7,
    }


def test_a_position_in_a_fund_is_a_collective_investment():
    position = make_market().position_instrument("SPY")

    assert position["assetType"] == "COLLECTIVE_INVESTMENT"
    assert position["type"] == "EXCHANGE_TRADED_FUND"
    assert set(position) == {"assetType", "cusip", "symbol", "description", "netChange", "type"}


def test_a_position_can_be_described_after_its_option_has_expired():
    market = make_market()
    symbol = "SPXW  251119P06500000"
    move_to(market, WEDNESDAY_NOON + timedelta(days=1))

    assert market.position_instrument(symbol)["netChange"] == 0
    assert market.instrument(symbol)["description"].startswith("S & P 500 INDEX 11/19/2025")


def test_a_search_leaves_out_what_it_does_not_know():
    reply = make_market().instruments_json(["AAPL", "XXXX", "SPY", "$SPX"])

    assert set(reply) == {"instruments"}
    assert reply["instruments"][0] == {
        "cusip": "037833100",
        "symbol": "AAPL",
        "description": "APPLE INC",
        "exchange": "NASDAQ",
        "assetType": "EQUITY",
    }
    assert [row["assetType"] for row in reply["instruments"]] == ["EQUITY", "ETF", "INDEX"]
