"""Orders that are refused: at once with a 400, or taken and then shown as REJECTED."""

from typing import Any

import pytest

from tests.integration.paper.trader import Trader, closing, leg, net_order, single

OVERSOLD = "oversold/overbought position"
LEVEL = "The account is not approved for this level of options trading."
FUNDS = "buying power"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"requestedDestination": "AUTO"}, "requestedDestination"),
        ({"tag": "API_TOS:TRADE_ALL"}, "tag"),
        ({"orderStrategyType": "OCO"}, "orderStrategyType"),
        ({"orderType": "UNKNOWN"}, "orderType"),
        ({"orderType": "LIMIT"}, "orderType"),
        ({"session": "SEAMLESS"}, "NORMAL"),
        ({"duration": "FOREVER"}, "duration"),
        ({"complexOrderStrategyType": "ALBATROSS"}, "complexOrderStrategyType"),
        ({"price": "0"}, "price"),
        ({"price": "-1.00"}, "price"),
        ({"price": "1_0"}, "price"),
        ({"price": True}, "price"),
        ({"price": None}, "price"),
        ({"stopPrice": "1.00"}, "stopPrice"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": 2}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"orderLegCollection": []}, "orderLegCollection"),
        ({"orderLegCollection": ["leg"]}, "leg"),
        ({"orderType": "NET_ZERO", "price": "0.10"}, "price"),
        ({"orderType": "MARKET"}, "price"),
    ],
)
def test_what_is_not_an_order_is_refused_at_once(
    trader: Trader, changes: dict[str, Any], words: str
) -> None:
    answer = trader.on_account("POST", "/orders", json=trader.condor("1.00") | changes)

    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert trader.paper.orders() == []


@pytest.mark.parametrize(
    "symbol",
    [
        "SPXW251219P05900000",
        "SPXW  251219P0590000",
        "SPXW  991301P05900000",
        "spxw  251219P05900000",
        "NONE  301220C00100000",
        "SPXW_121925P5900",
    ],
)
def test_an_option_that_is_not_written_or_not_listed_is_refused_at_once(
    trader: Trader, symbol: str
) -> None:
    order = single(trader.condor_symbols()[0], "BUY_TO_OPEN", "1.00")
    order["orderLegCollection"][0]["instrument"]["symbol"] = symbol

    answer = trader.on_account("POST", "/orders", json=order)

    assert answer.status_code == 400
    assert "was not found" in answer.json()["message"]


@pytest.mark.parametrize(
    ("symbol", "asset_type", "instruction"),
    [
        ("F", "EQUITY", "BUY_TO_OPEN"),
        ("option", "OPTION", "BUY"),
        ("F", "OPTION", "BUY_TO_OPEN"),
        ("option", "EQUITY", "BUY"),
        ("$SPX", "EQUITY", "BUY"),
        ("XXXX", "EQUITY", "BUY"),
        ("F", "INDEX", "BUY"),
        ("F", "EQUITY", "EXCHANGE"),
    ],
)
def test_instructions_must_fit_the_asset_and_symbols_must_be_traded(
    trader: Trader, symbol: str, asset_type: str, instruction: str
) -> None:
    symbol = trader.condor_symbols()[0] if symbol == "option" else symbol
    order = single(symbol, instruction, "1.00")
    order["orderLegCollection"][0]["instrument"]["assetType"] = asset_type

    assert trader.on_account("POST", "/orders", json=order).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"orderType":"LIMIT","orderType":"MARKET"}',
        b'{"orderLegCollection":[{"instrument":{"assetType":"EQUITY","assetType":"EQUITY"}}]}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_or_names_a_field_twice_is_refused(
    trader: Trader, body: bytes
) -> None:
    answer = trader.on_account("POST", "/orders", data=body)

    assert answer.status_code == 400
    assert answer.json()["message"]


def test_legs_must_be_different_and_of_one_kind(trader: Trader) -> None:
    order = trader.condor("1.00")
    twice = order | {"orderLegCollection": [order["orderLegCollection"][0]] * 2}
    mixed = order | {"orderLegCollection": [leg("F", "BUY"), order["orderLegCollection"][1]]}

    assert trader.on_account("POST", "/orders", json=twice).status_code == 400
    assert trader.on_account("POST", "/orders", json=mixed).status_code == 400


def test_outside_the_normal_session_only_limit_orders_for_shares_are_taken(trader: Trader) -> None:
    market = single("F", "BUY", None, session="AM")
    limit = single("F", "BUY", "1.00", session="AM")

    assert trader.on_account("POST", "/orders", json=market).status_code == 400
    assert trader.placed(limit)["session"] == "AM"


def rejection(trader: Trader, order: dict[str, Any]) -> str:
    """Place an order that is taken and rejected; return why."""
    shown = trader.placed(order)
    assert shown["status"] == "REJECTED"
    assert "closeTime" in shown
    assert "orderActivityCollection" not in shown
    assert (shown["filledQuantity"], shown["remainingQuantity"]) == (0.0, 0.0)
    return str(shown["statusDescription"])


def test_index_spreads_must_be_priced_in_nickels(trader: Trader) -> None:
    assert rejection(trader, trader.condor("1.82")) == (
        "Spread orders for SPX options must be priced in 5-cent increments."
    )


def test_spreads_on_shares_may_be_priced_in_cents(trader: Trader) -> None:
    puts = trader.options("AAPL")["PUT"]
    pair = [puts[3], puts[4]]
    order = net_order("NET_CREDIT", pair, ("BUY_TO_OPEN", "SELL_TO_OPEN"), "0.01")

    assert trader.placed(order)["status"] == "FILLED"


@pytest.mark.parametrize(("price", "is_taken"), [("3.05", False), ("3.10", True), ("0.15", True)])
def test_single_index_options_have_the_ticks_of_the_exchange(
    trader: Trader, price: str, is_taken: bool
) -> None:
    put = trader.options("$SPX")["PUT"][0]
    order = single(put, "BUY_TO_OPEN", price)

    if is_taken:
        assert trader.placed(order)["status"] in ("WORKING", "FILLED")
    else:
        assert "Penny Pilot" in rejection(trader, order)


def test_a_price_with_the_noise_of_a_float_is_rejected(trader: Trader) -> None:
    assert "increments" in rejection(trader, trader.condor("1.0000000000000002"))


def test_closing_what_is_not_held_is_rejected(trader: Trader) -> None:
    assert OVERSOLD in rejection(trader, closing(trader.condor("1.00"), "0.50"))


def test_closing_twice_is_rejected_while_the_first_close_works(trader: Trader) -> None:
    opened = trader.condor("0.50")
    trader.place(opened)
    first = trader.placed(closing(opened, "0.05"))

    assert first["status"] == "WORKING"
    assert OVERSOLD in rejection(trader, closing(opened, "0.10"))


def test_opening_against_a_position_is_rejected(trader: Trader) -> None:
    trader.place(single("F", "BUY", "20.00", quantity=10))

    assert OVERSOLD in rejection(trader, single("F", "SELL_SHORT", "1.00", quantity=10))


@pytest.mark.parametrize("instruction", ["SELL", "BUY_TO_COVER"])
def test_shares_that_are_not_held_cannot_be_given_back(trader: Trader, instruction: str) -> None:
    assert OVERSOLD in rejection(trader, single("F", instruction, "12.00"))


def test_a_naked_call_needs_a_level_that_no_account_has(trader: Trader) -> None:
    call = trader.options("AAPL")["CALL"][-1]

    assert rejection(trader, single(call, "SELL_TO_OPEN", "1.00")) == LEVEL


def test_a_naked_put_that_cash_cannot_secure_needs_that_level_too(trader: Trader) -> None:
    put = trader.options("$SPX")["PUT"][0]

    assert rejection(trader, single(put, "SELL_TO_OPEN", "1.00")) == LEVEL


def test_a_short_that_an_account_cannot_carry_can_always_be_bought_back(trader: Trader) -> None:
    put = trader.condor_symbols()[1]
    trader.paper.positions({trader.account: {put: -2}})

    assert FUNDS in rejection(trader, single("F", "BUY", "20.00", quantity=1))
    assert trader.placed(single(put, "BUY_TO_CLOSE", "0.05"))["status"] == "WORKING"


def test_covered_calls_and_puts_secured_by_cash_are_taken(trader: Trader) -> None:
    listed = trader.options("F")
    trader.place(single("F", "BUY", "20.00", quantity=100))

    covered = trader.placed(single(listed["CALL"][-5], "SELL_TO_OPEN", "0.01"))
    secured = trader.placed(single(listed["PUT"][5], "SELL_TO_OPEN", "0.01"))

    assert (covered["status"], secured["status"]) == ("FILLED", "FILLED")


def test_twenty_five_wide_condors_are_affordable_and_fifty_are_not(trader: Trader) -> None:
    taken = trader.placed(trader.condor("1.00", quantity=20))

    assert taken["status"] == "FILLED"
    assert FUNDS in rejection(trader, trader.condor("1.00", quantity=50))


def test_working_orders_hold_funds_back(trader: Trader) -> None:
    first = trader.place(trader.condor("4.70", quantity=500))

    assert trader.status(first) == "WORKING"
    assert FUNDS in rejection(trader, trader.condor("4.70", quantity=500))
    assert trader.on_account("DELETE", f"/orders/{first}").status_code == 200
    assert trader.placed(trader.condor("4.70", quantity=500))["status"] == "WORKING"


@pytest.mark.parametrize(("instruction", "stop"), [("BUY", "1.00"), ("SELL", "99.00")])
def test_a_stop_on_the_wrong_side_of_the_market_is_rejected(
    trader: Trader, instruction: str, stop: str
) -> None:
    trader.paper.positions({trader.account: {"F": 10 if instruction == "SELL" else 0}})
    order = single("F", instruction, None, quantity=10, orderType="STOP", stopPrice=stop)

    assert "stop price must be above" in rejection(trader, order)


def test_a_far_limit_is_not_rejected(trader: Trader) -> None:
    assert trader.placed(single("F", "BUY", "0.50", quantity=10))["status"] == "WORKING"


def test_a_plain_number_is_no_account_and_another_login_s_hash_is_not_found(
    trader: Trader,
) -> None:
    number = trader.login["accounts"][0]["number"]
    other = trader.paper.logins()[1]["accounts"][0]["hash"]
    order = trader.condor("1.00")

    plain = trader.call("POST", f"/trader/v1/accounts/{number}/orders", json=order)
    foreign = trader.call("POST", f"/trader/v1/accounts/{other}/orders", json=order)

    assert (plain.status_code, plain.json()) == (400, {"message": "Invalid account number"})
    assert foreign.status_code == 404
    assert trader.paper.orders() == []
