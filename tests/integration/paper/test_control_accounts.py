"""The control interface changes an account's kind and cash, and a new day takes its worth down."""

import pytest
import requests

from tests.integration.paper.trader import Trader
from tests.support.paper import PaperBroker

DAY_S = 86_400


def test_one_account_of_many_becomes_a_cash_account(paper: PaperBroker, trader: Trader) -> None:
    shown = paper.change_accounts({trader.account: {"type": "CASH", "cash": "1234.56"}})

    assert shown[trader.account]["type"] == "CASH"
    assert {one["type"] for name, one in shown.items() if name != trader.account} == {"MARGIN"}
    account = trader.read_account()
    assert account["type"] == "CASH"
    assert account["currentBalances"]["cashAvailableForTrading"] == 1234.56
    assert "buyingPower" not in account["currentBalances"]


def test_what_is_not_named_stays(paper: PaperBroker, trader: Trader) -> None:
    before = paper.change_accounts({})[trader.account]

    after = paper.change_accounts({trader.account: {"opening_cash": 20_000}})[trader.account]

    assert after == {**before, "opening_cash": 20_000.0}
    assert trader.read_account()["initialBalances"]["liquidationValue"] == 20_000.0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"type": "IRA"}, 400),
        ({"cash": "much"}, 400),
        ({"cash": True}, 400),
        ({"colour": "red"}, 400),
        ([], 400),
    ],
)
def test_what_makes_no_sense_changes_no_account(
    paper: PaperBroker, trader: Trader, fields: object, status: int
) -> None:
    before = paper.change_accounts({})
    other = next(name for name in before if name != trader.account)

    answer = requests.post(
        f"{paper.url}/paper/accounts",
        json={other: {"cash": 5}, trader.account: fields},
        timeout=10,
    )

    assert answer.status_code == status
    assert paper.change_accounts({}) == before


def test_an_account_that_is_not_there(paper: PaperBroker) -> None:
    answer = requests.post(f"{paper.url}/paper/accounts", json={"X": {}}, timeout=10)

    assert answer.status_code == 404


def test_a_new_day_begins_with_what_the_account_is_worth_and_holds(
    paper: PaperBroker, trader: Trader
) -> None:
    paper.positions({trader.account: {"AAPL": 10}})
    paper.change_accounts({trader.account: {"opening_cash": 1}})

    paper.clock(DAY_S)

    opening = paper.change_accounts({})[trader.account]["opening_cash"]
    cash = paper.change_accounts({})[trader.account]["cash"]
    assert opening > cash + 500
    trader.sign_in()
    shown = trader.read_account()
    assert shown["initialBalances"]["accountValue"] == opening
    assert shown["positions"][0]["previousSessionLongQuantity"] == 10
