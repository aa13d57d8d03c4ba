"""Accounts: numbers, balances, positions, requirements, transactions and preferences."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.paper.trader import Trader, closing, net_of, net_order, single, window
from tests.support.paper import PaperBroker

CONTRACT_FEES = {Decimal("1.22"), Decimal("1.13")}


@pytest.fixture
def household() -> Iterator[PaperBroker]:
    """A broker whose first login has three accounts and its second two, all CASH."""
    broker = PaperBroker(accounts=5, accounts_per_login=3, is_margin=False)
    yield broker
    broker.stop()


def dates() -> dict[str, str]:
    times = window()
    return {"startDate": times["fromEnteredTime"], "endDate": times["toEnteredTime"]}


def positions_of(trader: Trader) -> dict[str, Any]:
    return {one["instrument"]["symbol"]: one for one in trader.read_account()["positions"]}


def test_account_numbers_have_eight_digits_and_hashes_sixty_four(trader: Trader) -> None:
    (shown,) = trader.call("GET", "/trader/v1/accounts/accountNumbers").json()

    assert len(shown["accountNumber"]) == 8
    assert shown["accountNumber"].isdigit()
    assert shown["hashValue"] == trader.account
    assert len(trader.account) == 64
    assert trader.account == trader.account.upper()


def test_a_flat_account_has_its_cash_and_twice_that_as_buying_power(trader: Trader) -> None:
    shown = trader.read_account()

    balances = shown["currentBalances"]
    assert (shown["type"], shown["positions"]) == ("MARGIN", [])
    assert 21_600 <= balances["cashBalance"] <= 22_400
    assert balances["availableFunds"] == balances["cashBalance"]
    assert balances["buyingPower"] == pytest.approx(2 * balances["cashBalance"], abs=0.01)
    assert balances["buyingPowerNonMarginableTrade"] == balances["availableFunds"]
    assert shown["initialBalances"]["isInCall"] is False
    assert shown["projectedBalances"]["stockBuyingPower"] == balances["buyingPower"]


def test_accounts_show_positions_only_when_asked(trader: Trader) -> None:
    (one,) = trader.call("GET", "/trader/v1/accounts").json()

    assert "positions" not in one["securitiesAccount"]
    assert set(one["aggregatedBalance"]) == {"currentLiquidationValue", "liquidationValue"}
    assert "hashValue" not in one["securitiesAccount"]


def test_a_condor_requires_the_width_of_one_side_on_a_short_leg(trader: Trader) -> None:
    before = Decimal(str(trader.read_account()["currentBalances"]["cashBalance"]))
    filled = trader.placed(trader.condor("0.50", quantity=2))

    shown, held = trader.read_account(), positions_of(trader)
    balances = shown["currentBalances"]
    required = [one["maintenanceRequirement"] for one in held.values()]
    cash = Decimal(str(balances["cashBalance"]))
    fees = before + net_of(filled) * 200 - cash
    assert sorted(required) == [0.0, 0.0, 0.0, 1000.0]
    assert balances["maintenanceRequirement"] == 1000.0
    assert balances["availableFunds"] == pytest.approx(float(cash) - 1000.0)
    assert Decimal("9.04") <= fees <= Decimal("9.76")
    (charged,) = [one for one in held.values() if one["maintenanceRequirement"]]
    assert charged["shortQuantity"] == 2.0


def test_only_the_fields_of_the_held_side_are_shown(trader: Trader) -> None:
    trader.place(trader.condor("0.50"))

    for held in positions_of(trader).values():
        side, other = ("Long", "Short") if held["longQuantity"] else ("Short", "Long")
        sign = 1 if side == "Long" else -1
        average = Decimal(str(held[f"average{side}Price"]))
        fee = (Decimal(str(held["averagePrice"])) - average) * sign * 100
        assert fee in CONTRACT_FEES
        assert f"average{other}Price" not in held
        assert (held["marketValue"] > 0) == (side == "Long")
        assert held["instrument"]["underlyingSymbol"] == "$SPX"


def test_an_order_that_closes_leaves_the_account_flat(trader: Trader) -> None:
    opened = trader.condor("0.50", quantity=2)
    trader.place(opened)

    trader.place(closing(opened, "5.00"))

    shown = trader.read_account()
    assert shown["positions"] == []
    assert shown["currentBalances"]["maintenanceRequirement"] == 0.0


def test_shares_bought_on_margin_tie_up_half_of_their_value(trader: Trader) -> None:
    before = trader.read_account()["currentBalances"]
    trader.place(single("F", "BUY", "20.00", quantity=1000))
    after = trader.read_account()["currentBalances"]

    spent = before["cashBalance"] - after["cashBalance"]
    assert spent > 5_000
    assert after["longMarketValue"] == pytest.approx(spent, rel=0.01)
    assert before["availableFunds"] - after["availableFunds"] == pytest.approx(spent / 2, rel=0.01)


def test_funds_are_collective_investments_in_positions(trader: Trader) -> None:
    trader.place(single("SPY", "BUY", "900.00", quantity=10))

    held = positions_of(trader)["SPY"]["instrument"]

    assert (held["assetType"], held["type"]) == ("COLLECTIVE_INVESTMENT", "EXCHANGE_TRADED_FUND")


def test_a_short_sale_is_bought_back(trader: Trader) -> None:
    trader.place(single("F", "SELL_SHORT", "1.00", quantity=100))
    short = positions_of(trader)["F"]
    trader.place(single("F", "BUY_TO_COVER", "99.00", quantity=100))

    assert (short["shortQuantity"], short["longQuantity"]) == (100.0, 0.0)
    assert trader.read_account()["positions"] == []


def test_adding_to_a_position_averages_its_price(trader: Trader) -> None:
    trader.paper.market(fills="manual")
    for price in ("10.00", "11.00"):
        order_id = trader.place(single("F", "BUY", "20.00", quantity=100))
        trader.paper.fill(order_id, price=price)

    assert positions_of(trader)["F"]["averagePrice"] == 10.5


def test_a_cash_account_has_no_buying_power_and_no_short_sales(household: PaperBroker) -> None:
    trader = Trader(household)
    shown = trader.read_account()
    short = trader.placed(single("F", "SELL_SHORT", "1.00"))
    trader.session.close()

    assert shown["type"] == "CASH"
    assert "buyingPower" not in shown["currentBalances"]
    assert (
        shown["currentBalances"]["cashAvailableForTrading"] == shown["currentBalances"]["totalCash"]
    )
    assert (short["status"], "Short sales" in short["statusDescription"]) == ("REJECTED", True)


def test_a_login_sees_all_of_its_accounts_and_no_others(household: PaperBroker) -> None:
    first, second = Trader(household, 0), Trader(household, 1)
    hashes = [one["hash"] for one in first.login["accounts"]]
    for account in hashes:
        household.make_order(account, first.condor("4.95"))
    household.make_order(second.account, first.condor("4.95"))

    numbers = first.call("GET", "/trader/v1/accounts/accountNumbers").json()
    orders = first.call("GET", "/trader/v1/orders", params=window()).json()
    first.session.close()
    second.session.close()

    assert [one["hashValue"] for one in numbers] == hashes
    assert len(second.login["accounts"]) == 2
    assert len(orders) == 3
    assert {str(one["accountNumber"]) for one in orders} == {
        one["accountNumber"] for one in numbers
    }


def test_a_fill_is_a_transaction_with_its_charges(trader: Trader) -> None:
    filled = trader.placed(trader.condor("0.50"))

    answer = trader.on_account("GET", "/transactions", params=dates() | {"types": "TRADE,JOURNAL"})

    (row,) = answer.json()
    fees = {one["feeType"]: one["cost"] for one in row["transferItems"] if "feeType" in one}
    legs = [one for one in row["transferItems"] if "feeType" not in one]
    assert row["activityId"] == filled["orderActivityCollection"][0]["activityId"]
    assert (row["type"], row["orderId"]) == ("TRADE", filled["orderId"])
    assert fees["COMMISSION"] == -2.6
    assert row["netAmount"] == pytest.approx(float(net_of(filled)) * 100 + sum(fees.values()))
    assert [one["positionEffect"] for one in legs] == ["OPENING"] * 4
    assert [one["amount"] for one in legs] == [1.0, -1.0, -1.0, 1.0]
    alone = trader.on_account("GET", f"/transactions/{row['activityId']}")
    assert alone.json() == row


def test_transactions_are_filtered_and_their_query_is_checked(trader: Trader) -> None:
    trader.place(single("F", "BUY", "20.00"))

    def listed(**query: str) -> Any:
        return trader.on_account("GET", "/transactions", params=dates() | query)

    assert len(listed(types="TRADE", symbol="F").json()) == 1
    assert listed(types="TRADE", symbol="AAPL").json() == []
    assert listed(types="JOURNAL").json() == []
    assert listed(types="GIFTS").status_code == 400
    assert listed().status_code == 400
    wrong = listed(types="TRADE", startDate="2025-01-01")
    assert wrong.json() == {"message": "'2025-01-01' is not a valid value for startDate"}
    assert trader.on_account("GET", "/transactions/1").status_code == 404


def test_the_user_preference_is_an_object_with_the_stream_s_address(trader: Trader) -> None:
    shown = trader.call("GET", "/trader/v1/userPreference").json()

    number = trader.login["accounts"][0]["number"]
    assert shown["accounts"][0]["accountNumber"] == number
    assert shown["accounts"][0]["displayAcctId"] == f"...{number[-3:]}"
    assert shown["streamerInfo"][0]["schwabClientChannel"] == "N9"
    assert shown["offers"][0]["mktDataPermission"] == "NP"


def test_a_vertical_s_requirement_is_its_width(trader: Trader) -> None:
    calls = trader.options("AAPL")["CALL"]
    pair = [calls[-6], calls[-5]]
    strikes = [int(symbol[13:]) / 1000 for symbol in pair]
    trader.place(net_order("NET_CREDIT", pair, ("SELL_TO_OPEN", "BUY_TO_OPEN"), "0.01"))

    width = strikes[1] - strikes[0]
    assert positions_of(trader)[pair[0]]["maintenanceRequirement"] == width * 100
    assert positions_of(trader)[pair[1]]["maintenanceRequirement"] == 0.0


def test_options_that_have_expired_are_settled_in_cash(trader: Trader) -> None:
    calls = trader.options("AAPL")["CALL"]
    trader.paper.market(prices={"AAPL": 300})
    trader.paper.positions({trader.account: {calls[0]: 1, calls[1]: -1, "F": 10}})
    before = trader.read_account()["currentBalances"]["cashBalance"]

    trader.paper.clock(30 * 86_400)
    trader.sign_in()

    width = (int(calls[1][13:]) - int(calls[0][13:])) / 1000
    after = trader.read_account()["currentBalances"]["cashBalance"]
    assert trader.paper.positions()[trader.account] == {"F": 10}
    assert after - before == pytest.approx(width * 100)


def test_a_debit_spread_requires_nothing(trader: Trader) -> None:
    calls = trader.options("AAPL")["CALL"]
    pair = [calls[-6], calls[-5]]
    trader.place(net_order("NET_DEBIT", pair, ("BUY_TO_OPEN", "SELL_TO_OPEN"), "3.00"))

    assert trader.read_account()["currentBalances"]["maintenanceRequirement"] == 0.0
