"""Orders that are taken: how they are answered, shown and filled."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from brokerage.paper.market.trading_days import is_trading_day
from tests.integration.paper.trader import NICKEL, Trader, down, net_of, net_order, single, up


def test_an_order_is_answered_with_its_public_address_and_nothing_else(trader: Trader) -> None:
    answer = trader.on_account("POST", "/orders", json=trader.condor("4.95"))

    assert (answer.status_code, answer.content) == (201, b"")
    assert re.fullmatch(
        rf"https://api\.schwabapi\.com/trader/v1/accounts/{trader.account}/orders/\d{{13}}",
        answer.headers["Location"],
    )
    assert answer.headers["Schwab-Client-CorrelId"]


def test_a_working_order_is_shown_in_every_field_as_captured(trader: Trader) -> None:
    shown = trader.placed(trader.condor("4.95"))

    first = shown["orderLegCollection"][0]
    assert list(shown) == [
        *("session", "duration", "orderType", "complexOrderStrategyType", "quantity"),
        *("filledQuantity", "remainingQuantity", "requestedDestination", "destinationLinkName"),
        *("price", "orderLegCollection", "orderStrategyType", "orderId", "cancelable", "editable"),
        *("status", "enteredTime", "tag", "accountNumber"),
    ]
    assert (shown["price"], shown["quantity"], shown["remainingQuantity"]) == (4.95, 1.0, 1.0)
    assert (shown["status"], shown["cancelable"], shown["editable"]) == ("WORKING", True, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", shown["enteredTime"])
    assert re.fullmatch(r"TA_\w+\d+", shown["tag"])
    assert str(shown["accountNumber"]) == trader.login["accounts"][0]["number"]
    assert list(first) == [
        *("orderLegType", "legId", "instrument", "instruction", "positionEffect", "quantity")
    ]
    assert first["instrument"]["underlyingSymbol"] == "SPXW"
    assert (first["legId"], first["positionEffect"]) == (1, "OPENING")


def test_numbers_with_a_point_prices_as_numbers_and_a_missing_quantity_are_taken(
    trader: Trader,
) -> None:
    order = trader.condor("4.95")
    del order["quantity"], order["complexOrderStrategyType"]
    for one in order["orderLegCollection"]:
        one["quantity"] = 2.0

    shown = trader.placed(order | {"price": 4.95})

    assert (shown["quantity"], shown["price"]) == (2.0, 4.95)
    assert shown["complexOrderStrategyType"] == "IRON_CONDOR"


def test_order_ids_only_increase_also_over_a_reset(trader: Trader) -> None:
    before = [int(trader.place(trader.condor("4.95"))) for _ in range(2)]
    trader.paper.reset()
    after = int(trader.place(trader.condor("4.95")))

    assert before[0] < before[1] < after


@pytest.mark.parametrize("ticks_below", [0, 1, 4])
def test_a_credit_at_or_below_the_mid_fills_at_once_at_the_mid_but_never_worse_than_asked(
    trader: Trader, ticks_below: int
) -> None:
    mid = trader.mid(trader.condor("1.00"))
    limit = down(mid) - ticks_below * NICKEL

    shown = trader.placed(trader.condor(limit))

    assert shown["status"] == "FILLED"
    net = net_of(shown)
    assert net >= limit
    assert abs(net - mid) <= NICKEL
    assert net % NICKEL == 0


def test_a_credit_above_the_mid_rests(trader: Trader) -> None:
    mid = trader.mid(trader.condor("1.00"))

    assert trader.placed(trader.condor(down(mid) + NICKEL))["status"] == "WORKING"


def test_a_debit_at_or_above_the_mid_fills_and_one_below_rests(trader: Trader) -> None:
    puts = trader.options("$SPX")["PUT"]
    pair, instructions = [puts[20], puts[18]], ("BUY_TO_OPEN", "SELL_TO_OPEN")
    mid = -trader.mid(net_order("NET_DEBIT", pair, instructions, "1.00"))

    bought = trader.placed(net_order("NET_DEBIT", pair, instructions, up(mid)))
    resting = trader.placed(net_order("NET_DEBIT", pair, instructions, up(mid) - NICKEL))

    assert (bought["status"], resting["status"]) == ("FILLED", "WORKING")
    assert -net_of(bought) <= up(mid)


def test_a_fill_has_one_execution_with_every_leg_once(trader: Trader) -> None:
    shown = trader.placed(trader.condor("0.50", quantity=3))

    (activity,) = shown["orderActivityCollection"]
    assert (activity["activityType"], activity["executionType"]) == ("EXECUTION", "FILL")
    assert (activity["quantity"], activity["orderRemainingQuantity"]) == (3.0, 0.0)
    assert [one["legId"] for one in activity["executionLegs"]] == [1, 2, 3, 4]
    assert all(one["quantity"] == 3.0 for one in activity["executionLegs"])
    assert (shown["filledQuantity"], shown["remainingQuantity"]) == (3.0, 0.0)
    assert (shown["cancelable"], shown["editable"]) == (False, False)
    assert shown["closeTime"] >= shown["enteredTime"]


def test_a_resting_order_fills_when_the_market_comes_to_it(trader: Trader) -> None:
    call = trader.options("AAPL")["CALL"][20]
    order_id = trader.place(single(call, "BUY_TO_OPEN", "0.05"))
    assert trader.status(order_id) == "WORKING"

    trader.paper.market(prices={"AAPL": 100})

    assert trader.status(order_id) == "FILLED"


def test_a_market_order_fills_at_the_natural_price(trader: Trader) -> None:
    order = trader.condor("1.00", orderType="MARKET")
    del order["price"]

    shown = trader.placed(order)

    assert shown["status"] == "FILLED"
    assert "price" not in shown
    assert net_of(shown) == trader.natural(order)


def test_shares_fill_at_the_mid_within_the_limit(trader: Trader) -> None:
    ask = Decimal(str(trader.quote("F")["askPrice"]))

    shown = trader.placed(single("F", "BUY", ask, quantity=100))

    assert shown["status"] == "FILLED"
    assert -net_of(shown) <= ask
    assert trader.paper.positions()[trader.account] == {"F": 100}


@pytest.mark.parametrize(
    ("instruction", "stop", "moved_to"), [("BUY", "14.00", 14.5), ("SELL", "9.00", 8.5)]
)
def test_a_stop_order_waits_for_the_last_price(
    trader: Trader, instruction: str, stop: str, moved_to: float
) -> None:
    trader.paper.positions({trader.account: {"F": 100 if instruction == "SELL" else 0}})
    order = single("F", instruction, None, quantity=100)

    order_id = trader.place(order | {"orderType": "STOP", "stopPrice": stop})
    assert trader.status(order_id) == "WORKING"
    trader.paper.market(prices={"F": moved_to})

    assert trader.status(order_id) == "FILLED"


def test_a_triggered_stop_limit_keeps_its_limit(trader: Trader) -> None:
    order = single("F", "BUY", "14.10", quantity=100, orderType="STOP_LIMIT", stopPrice="14.00")
    order_id = trader.place(order)

    trader.paper.market(prices={"F": 15})
    jumped_over = trader.status(order_id)
    trader.paper.market(prices={"F": 13.5})

    assert (jumped_over, trader.status(order_id)) == ("WORKING", "FILLED")


@pytest.mark.parametrize("duration", ["FILL_OR_KILL", "IMMEDIATE_OR_CANCEL"])
def test_an_order_for_now_or_never_is_cancelled_unless_it_fills_at_once(
    trader: Trader, duration: str
) -> None:
    never = trader.placed(trader.condor("4.95", duration=duration))
    now = trader.placed(trader.condor("0.50", duration=duration))

    assert (never["status"], now["status"]) == ("CANCELED", "FILLED")


def test_while_fills_are_manual_nothing_fills_until_it_is_told(trader: Trader) -> None:
    trader.paper.market(fills="manual")
    order_id = trader.place(trader.condor("0.50", quantity=3))

    trader.paper.fill(order_id, quantity=1, price="0.70")
    partly = trader.order(order_id)
    filled = trader.paper.fill(order_id)

    assert (partly["status"], partly["filledQuantity"]) == ("WORKING", 1.0)
    assert partly["remainingQuantity"] == 2.0
    assert net_of(partly) == Decimal("0.70")
    assert filled["status"] == "FILLED"
    assert [one["orderRemainingQuantity"] for one in filled["orderActivityCollection"]] == [
        2.0,
        0.0,
    ]


def test_legs_of_unequal_ratio_still_add_up_to_the_net_price(trader: Trader) -> None:
    puts = trader.options("$SPX")["PUT"]
    order = net_order("NET_DEBIT", [puts[22], puts[18]], ("BUY_TO_OPEN", "SELL_TO_OPEN"), "40.00")
    order["orderLegCollection"][0]["quantity"] = 2
    order["complexOrderStrategyType"] = "CUSTOM"

    trader.paper.market(fills="manual")
    order_id = trader.place(order)
    shown = trader.paper.fill(order_id, price="31.35")

    assert net_of(shown) == Decimal("-31.35")


def seconds_until(*, is_open: bool) -> float:
    """Return how far away the next noon is at which the exchange is open, or closed."""
    now = datetime.now(ZoneInfo("America/New_York"))
    noons = (now.replace(hour=12) + timedelta(days=days) for days in range(1, 10))
    noon = next(one for one in noons if is_trading_day(one.date()) == is_open)
    return (noon - now).total_seconds()


def test_orders_entered_while_the_exchange_is_closed_wait_until_it_opens(trader: Trader) -> None:
    trader.paper.market(hours="nyse")
    trader.paper.clock(seconds_until(is_open=False))
    trader.sign_in()
    order = single("KO", "BUY", "99.00", duration="GOOD_TILL_CANCEL")

    never = trader.placed(order | {"duration": "FILL_OR_KILL"})
    waiting = trader.placed(order)
    trader.paper.clock(seconds_until(is_open=True))
    trader.sign_in()

    assert never["status"] == "CANCELED"
    assert (waiting["status"], waiting["cancelable"]) == ("PENDING_ACTIVATION", True)
    assert trader.status(waiting["orderId"]) == "FILLED"


def test_when_the_exchange_closes_orders_of_the_day_expire_and_others_wait(trader: Trader) -> None:
    order = single("KO", "BUY", "1.00")
    of_the_day = trader.place(order)
    until_cancelled = trader.place(order | {"duration": "GOOD_TILL_CANCEL"})

    trader.paper.market(hours="nyse")
    trader.paper.clock(seconds_until(is_open=False))
    trader.sign_in()

    assert trader.status(of_the_day) == "EXPIRED"
    assert trader.status(until_cancelled) == "PENDING_ACTIVATION"


def test_orders_for_options_that_have_expired_expire(trader: Trader) -> None:
    order_id = trader.place(trader.condor("4.95", duration="GOOD_TILL_CANCEL"))

    trader.paper.clock(30 * 86_400)
    trader.sign_in()

    assert trader.status(order_id) == "EXPIRED"
