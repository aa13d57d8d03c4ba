"""The order bodies against the documented ones, key by key."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from brokerage.schwab.payloads import encode, order_body, wire_price
from strategies.domain.tickets import (
    Duration,
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Session,
    Strategy,
    Ticket,
)

MARKET_BUY = Ticket(Strategy.EQUITY, (Leg("XYZ", Instruction.BUY),), OrderType.MARKET, contracts=15)
LIMIT_SELL = Ticket(
    Strategy.EQUITY,
    (Leg("XYZ", Instruction.SELL),),
    OrderType.LIMIT,
    contracts=10,
    limit=Decimal("42.03"),
)
CALL = Ticket(
    Strategy.SINGLE_OPTION,
    (Leg("XYZ   240315C00050000", Instruction.BUY_TO_OPEN),),
    OrderType.LIMIT,
    contracts=10,
    limit=Decimal("6.45"),
)
BULL_PUT = Ticket(
    Strategy.VERTICAL,
    (
        Leg("SPXW  260116P05900000", Instruction.BUY_TO_OPEN),
        Leg("SPXW  260116P05910000", Instruction.SELL_TO_OPEN),
    ),
    OrderType.LIMIT,
    contracts=2,
    limit=Decimal("1.25"),
    price_effect=PriceEffect.NET_CREDIT,
)
CONDOR_EXIT = Ticket(
    Strategy.IRON_CONDOR,
    (
        Leg("SPXW  260116P05900000", Instruction.SELL_TO_CLOSE),
        Leg("SPXW  260116P05910000", Instruction.BUY_TO_CLOSE),
        Leg("SPXW  260116C06100000", Instruction.BUY_TO_CLOSE),
        Leg("SPXW  260116C06110000", Instruction.SELL_TO_CLOSE),
    ),
    OrderType.LIMIT,
    contracts=1,
    limit=Decimal("0.9"),
    price_effect=PriceEffect.NET_DEBIT,
)

DOCUMENTED = {
    "equity market": (
        MARKET_BUY,
        """{"orderType":"MARKET","session":"NORMAL","duration":"DAY","orderStrategyType":"SINGLE",
        "orderLegCollection":[{"instruction":"BUY","quantity":15,"instrument":{"symbol":"XYZ","assetType":"EQUITY"}}]}""",
    ),
    "equity limit": (
        LIMIT_SELL,
        """{"orderType":"LIMIT","session":"NORMAL","duration":"DAY","price":"42.03","orderStrategyType":"SINGLE",
        "orderLegCollection":[{"instruction":"SELL","quantity":10,"instrument":{"symbol":"XYZ","assetType":"EQUITY"}}]}""",
    ),
    "single option": (
        CALL,
        """{"complexOrderStrategyType":"NONE","orderType":"LIMIT","session":"NORMAL","price":"6.45","duration":"DAY","orderStrategyType":"SINGLE",
        "orderLegCollection":[{"instruction":"BUY_TO_OPEN","quantity":10,"instrument":{"symbol":"XYZ   240315C00050000","assetType":"OPTION"}}]}""",
    ),
    "vertical": (
        BULL_PUT,
        """{"session":"NORMAL","duration":"DAY","orderType":"NET_CREDIT","complexOrderStrategyType":"VERTICAL","quantity":2,"price":"1.25","orderStrategyType":"SINGLE",
        "orderLegCollection":[
        {"instruction":"BUY_TO_OPEN","quantity":2,"instrument":{"assetType":"OPTION","symbol":"SPXW  260116P05900000"}},
        {"instruction":"SELL_TO_OPEN","quantity":2,"instrument":{"assetType":"OPTION","symbol":"SPXW  260116P05910000"}}]}""",
    ),
    "condor": (
        CONDOR_EXIT,
        """{"orderType":"NET_DEBIT","session":"NORMAL","price":"0.90","duration":"DAY","orderStrategyType":"SINGLE","complexOrderStrategyType":"IRON_CONDOR","quantity":1,
        "orderLegCollection":[
        {"instruction":"SELL_TO_CLOSE","quantity":1,"instrument":{"symbol":"SPXW  260116P05900000","assetType":"OPTION"}},
        {"instruction":"BUY_TO_CLOSE", "quantity":1,"instrument":{"symbol":"SPXW  260116P05910000","assetType":"OPTION"}},
        {"instruction":"BUY_TO_CLOSE", "quantity":1,"instrument":{"symbol":"SPXW  260116C06100000","assetType":"OPTION"}},
        {"instruction":"SELL_TO_CLOSE","quantity":1,"instrument":{"symbol":"SPXW  260116C06110000","assetType":"OPTION"}}]}""",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_strategy_has_the_documented_body(name):
    ticket, documented = DOCUMENTED[name]

    assert order_body(ticket) == json.loads(documented)


def test_a_market_order_of_several_legs_has_no_price_and_keeps_its_shape():
    body = order_body(replace(CONDOR_EXIT, order_type=OrderType.MARKET, limit=None))

    assert body["orderType"] == "MARKET"
    assert "price" not in body
    assert (body["complexOrderStrategyType"], body["quantity"]) == ("IRON_CONDOR", 1)


def test_an_even_spread_has_no_price():
    body = order_body(replace(BULL_PUT, limit=None, price_effect=PriceEffect.NET_ZERO))

    assert body["orderType"] == "NET_ZERO"
    assert "price" not in body


def test_a_stop_limit_order_has_both_prices():
    ticket = replace(
        LIMIT_SELL,
        order_type=OrderType.STOP_LIMIT,
        limit=Decimal(37),
        stop=Decimal("37.03"),
        duration=Duration.GOOD_TILL_CANCEL,
    )

    body = order_body(ticket)

    assert (body["orderType"], body["price"], body["stopPrice"]) == ("STOP_LIMIT", "37.00", "37.03")
    assert body["duration"] == "GOOD_TILL_CANCEL"


def test_a_stop_order_has_only_its_stop():
    body = order_body(replace(CALL, order_type=OrderType.STOP, limit=None, stop=Decimal("4.10")))

    assert body["stopPrice"] == "4.10"
    assert "price" not in body


def test_extended_hours_go_on_the_wire():
    assert order_body(replace(LIMIT_SELL, session=Session.SEAMLESS))["session"] == "SEAMLESS"


def test_a_leg_is_contracts_times_its_ratio():
    ratio_two = replace(CALL, legs=(replace(CALL.legs[0], ratio=2),))

    assert order_body(ratio_two)["orderLegCollection"][0]["quantity"] == 20


@pytest.mark.parametrize(
    ("price", "shares", "written"),
    [
        ("5", False, "5.00"),
        ("1.8", False, "1.80"),
        ("1.2500", False, "1.25"),
        ("0.1234", True, "0.1234"),
        ("0.12", True, "0.12"),
        ("1E+3", True, "1000.00"),
    ],
)
def test_prices_are_text_with_two_decimals_or_four_for_penny_stocks(price, shares, written):
    assert wire_price(Decimal(price), shares=shares) == written


@pytest.mark.parametrize(
    ("price", "shares"),
    [("1.255", False), ("0.1234", False), ("1.2345", True), ("0.12345", True), ("-1", True)],
)
def test_a_price_that_would_have_to_be_rounded_is_refused(price, shares):
    with pytest.raises(ValueError, match=r"price|decimals"):
        wire_price(Decimal(price), shares=shares)


@pytest.mark.parametrize("price", ["NaN", "Infinity"])
def test_what_is_no_price_is_refused(price):
    with pytest.raises(ValueError, match="is not a price"):
        wire_price(Decimal(price), shares=False)


@pytest.mark.parametrize(
    "ticket",
    [
        replace(LIMIT_SELL, limit=None),
        replace(LIMIT_SELL, limit=Decimal(0)),
        replace(LIMIT_SELL, contracts=0),
        replace(LIMIT_SELL, order_type=OrderType.STOP),
        replace(BULL_PUT, price_effect=None),
        replace(BULL_PUT, order_type=OrderType.STOP, stop=Decimal(1)),
        replace(BULL_PUT, legs=BULL_PUT.legs[:1]),
        replace(CALL, legs=(Leg("XYZ   240315C00050000", Instruction.BUY),)),
        replace(MARKET_BUY, legs=(Leg("XYZ", Instruction.BUY_TO_OPEN),)),
    ],
)
def test_a_ticket_that_contradicts_itself_never_becomes_a_body(ticket):
    with pytest.raises(ValueError, match=r"\w"):
        order_body(ticket)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_no_float_goes_on_the_wire(name):
    def no_float(text):
        raise AssertionError(text)

    json.loads(encode(order_body(DOCUMENTED[name][0])), parse_float=no_float)


def test_encoded_bodies_are_compact():
    assert encode({"a": 1, "b": ["x"]}) == b'{"a":1,"b":["x"]}'
