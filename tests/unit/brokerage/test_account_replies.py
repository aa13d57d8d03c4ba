"""Accounts, balances and positions as the broker really shows them."""

from decimal import Decimal
from typing import Any

import pytest

from brokerage import errors
from brokerage.schwab.replies import (
    AccountNumber,
    Holding,
    read_account_numbers,
    read_accounts,
)
from tests.unit.brokerage.answering import reply

MARGIN: Any = {
    "securitiesAccount": {
        "type": "MARGIN",
        "accountNumber": "11111111",
        "positions": [
            {
                "shortQuantity": 1.0,
                "averagePrice": 2.7733,
                "longQuantity": 0.0,
                "settledShortQuantity": -1.0,
                "instrument": {"assetType": "OPTION", "symbol": "META  250131P00525000"},
                "marketValue": -75.0,
            }
        ],
        "initialBalances": {"cashBalance": 51375.37},
        "currentBalances": {
            "cashBalance": 51420.89,
            "liquidationValue": 50946.39,
            "availableFunds": 44420.89,
            "buyingPower": 88853.04,
            "buyingPowerNonMarginableTrade": 44420.89,
        },
    },
    "aggregatedBalance": {"liquidationValue": 51434.86},
}
CASH: Any = {
    "securitiesAccount": {
        "type": "CASH",
        "accountNumber": "11111112",
        "currentBalances": {
            "cashBalance": 11687.43,
            "liquidationValue": 30433.63,
            "cashAvailableForTrading": 11600.00,
        },
    }
}


def test_account_numbers_come_with_their_hashes():
    body = [{"accountNumber": "12345678", "hashValue": "1996EA"}]

    assert read_account_numbers(reply(body)) == (AccountNumber("12345678", "1996EA"),)


def test_an_account_without_a_hash_is_unreadable():
    with pytest.raises(errors.UnreadableReply):
        read_account_numbers(reply([{"accountNumber": "12345678"}]))


def test_balances_are_read_by_the_type_of_account():
    margin, cash = read_accounts(reply([MARGIN, CASH]))

    assert (margin.number, margin.account_type) == ("11111111", "MARGIN")
    assert (margin.value, margin.cash) == (Decimal("50946.39"), Decimal("51420.89"))
    assert (margin.buying_power, margin.option_buying_power) == (
        Decimal("88853.04"),
        Decimal("44420.89"),
    )
    assert (cash.account_type, cash.value) == ("CASH", Decimal("30433.63"))
    assert cash.buying_power == cash.option_buying_power == 11600
    assert cash.holdings == ()


def test_the_days_beginning_is_read_under_either_name():
    account = MARGIN["securitiesAccount"]
    for opening, value in (
        ({"liquidationValue": 7.5, "accountValue": 9}, Decimal("7.5")),
        ({"accountValue": 9}, Decimal(9)),
        ({}, None),
        (None, None),
    ):
        shown = {"securitiesAccount": {**account, "initialBalances": opening}}
        assert read_accounts(reply([shown]))[0].opening_value == value


@pytest.mark.parametrize("name", ["buyingPower", "liquidationValue", "cashBalance"])
@pytest.mark.parametrize("said", [None, "", "NaN", ...])
def test_a_balance_that_is_not_said_is_none(name, said):
    balances = {**MARGIN["securitiesAccount"]["currentBalances"], name: said}
    if said is ...:
        del balances[name]
    shown = {"securitiesAccount": {**MARGIN["securitiesAccount"], "currentBalances": balances}}

    (found,) = read_accounts(reply([shown]))

    figures = {
        "buyingPower": found.buying_power,
        "liquidationValue": found.value,
        "cashBalance": found.cash,
    }
    assert [key for key, value in figures.items() if value is None] == [name]


@pytest.mark.parametrize(
    "worth",
    ["longMarketValue", "shortMarketValue", "longOptionMarketValue", "shortOptionMarketValue"],
)
def test_an_account_with_worth_and_without_positions_hides_them(worth):
    balances = {**CASH["securitiesAccount"]["currentBalances"], worth: -3.5}
    account = {**CASH["securitiesAccount"], "currentBalances": balances}

    (hidden,) = read_accounts(reply([{"securitiesAccount": account}]))
    (shown,) = read_accounts(reply([MARGIN]))

    assert (hidden.hides_positions, shown.hides_positions) == (True, False)


def test_positions_are_read_with_their_sign():
    (account,) = read_accounts(reply(MARGIN))

    assert account.holdings == (
        Holding(
            "META  250131P00525000",
            "OPTION",
            Decimal(0),
            Decimal(1),
            Decimal("2.7733"),
            Decimal(-75),
        ),
    )
    assert account.holdings[0].quantity == -1


@pytest.mark.parametrize(
    "position", [{}, {"instrument": {"symbol": "F"}}, None, {"longQuantity": 1}]
)
def test_a_position_that_cannot_be_read_is_never_taken_for_flat(position):
    account = {**CASH["securitiesAccount"], "positions": [position]}

    with pytest.raises(errors.UnreadableReply):
        read_accounts(reply([{"securitiesAccount": account}]))


def test_an_account_of_unknown_type_is_unreadable():
    account = {**CASH["securitiesAccount"], "type": "BARTER"}

    with pytest.raises(errors.UnreadableReply):
        read_accounts(reply([{"securitiesAccount": account}]))
