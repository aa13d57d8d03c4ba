"""The control interface: the journal, orders and positions by hand, the market, the reset."""

import time
from typing import Any

import pytest
import requests

from brokerage.paper.broker import Broker
from brokerage.paper.dispatch import Dispatcher
from brokerage.paper.messages import Request
from brokerage.paper.seed import SeedOptions
from tests.integration.paper.trader import Trader, single
from tests.support.paper import PaperBroker


def test_a_journal_row_has_exactly_these_fields(trader: Trader) -> None:
    before, since = time.time(), trader.paper.journal()[-1]["seq"]
    order_id = trader.place(trader.condor("4.95"))

    placing = [one for one in trader.paper.journal(since) if one["method"] == "POST"]
    (row,) = placing
    assert before <= row.pop("at") <= time.time()
    assert row.pop("seq") > since
    assert row == {
        "method": "POST",
        "path": f"/trader/v1/accounts/{trader.account}/orders",
        "account": trader.account,
        "status": 201,
        "order_id": order_id,
        "placed": True,
    }


def test_paths_are_journaled_without_query_and_slash_and_with_what_they_address(
    trader: Trader,
) -> None:
    order, another = trader.condor("4.95"), trader.condor("4.90")
    order_id = trader.place(order)
    trader.call("GET", "/trader/v1/accounts/?fields=positions")
    trader.on_account("GET", f"/orders/{order_id}")
    new = trader.on_account("PUT", f"/orders/{order_id}", json=another)
    new_id = new.headers["Location"].rpartition("/")[2]
    trader.on_account("DELETE", f"/orders/{new_id}")
    trader.call("GET", "/nowhere")

    rows = trader.paper.journal()[-5:]

    assert [one["path"].rpartition("/")[2] for one in rows] == [
        *("accounts", order_id, order_id, new_id, "nowhere")
    ]
    assert [one["account"] for one in rows] == [None, *[trader.account] * 3, None]
    assert [one["order_id"] for one in rows] == [None, order_id, new_id, new_id, None]
    assert [one["placed"] for one in rows] == [False, False, True, False, False]
    assert [one["status"] for one in rows] == [200, 200, 201, 200, 404]


def test_control_calls_are_not_journaled_and_numbers_go_on_after_a_reset(trader: Trader) -> None:
    last = trader.paper.journal()[-1]["seq"]
    trader.paper.logins()
    trader.paper.positions()
    trader.paper.reset()

    assert trader.paper.journal(last) == []
    trader.call("GET", "/trader/v1/accounts")
    assert trader.paper.journal()[0]["seq"] == last + 1


def test_the_truth_lists_all_orders_oldest_first_with_their_accounts(trader: Trader) -> None:
    other = trader.paper.logins()[1]["accounts"][0]["hash"]
    first = trader.place(trader.condor("4.95"))
    second = trader.paper.make_order(other, trader.condor("4.95"))

    listed = trader.paper.orders()

    assert [str(one["orderId"]) for one in listed] == [first, second]
    assert [one["account"] for one in listed] == [trader.account, other]
    assert {**trader.order(first), "account": trader.account} == listed[0]


def test_an_order_by_hand_carries_another_tag(trader: Trader) -> None:
    usual = trader.paper.make_order(trader.account, trader.condor("4.95"))
    named = trader.paper.make_order(trader.account, trader.condor("4.95"), tag="AA_1")

    assert trader.order(usual)["tag"] == "API_TOS:TRADE_ALL"
    assert trader.order(named)["tag"] == "AA_1"


def test_positions_are_set_one_by_one(trader: Trader) -> None:
    put = trader.condor_symbols()[0]
    trader.paper.positions({trader.account: {put: -2, "F": 100}})
    trader.paper.positions({trader.account: {"F": 0}})

    assert trader.paper.positions()[trader.account] == {put: -2}
    (held,) = trader.read_account()["positions"]
    assert (held["shortQuantity"], held["settledShortQuantity"]) == (2.0, -2.0)


def test_prices_can_be_set_and_move_what_depends_on_them(trader: Trader) -> None:
    call = trader.options("AAPL")["CALL"][10]
    before = trader.quote(call)["mark"]

    trader.paper.market(prices={"AAPL": 400})

    assert trader.quote("AAPL")["lastPrice"] == 400
    assert trader.quote(call)["mark"] > before + 50


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("market", {"fills": "sometimes"}),
        ("market", {"hours": "never"}),
        ("market", {"prices": {"XXXX": 1}}),
        ("market", {"prices": {"F": -1}}),
        ("market", {"prices": {"F": "dear"}}),
        ("market", {"speed": -1}),
        ("positions", {"nobody": {"F": 1}}),
        ("orders", {"account": "nobody", "order": {}}),
        ("orders", {}),
        ("fill", {"order_id": "1"}),
        ("fill", {}),
        ("replace", {"order_id": "x"}),
        ("tokens", {"login": "nobody"}),
        ("tokens", {"access": "eat"}),
        ("clock", {"offset_s": "soon"}),
        ("authorize", {}),
    ],
)
def test_control_calls_that_make_no_sense_are_refused(
    paper: PaperBroker, path: str, body: dict[str, Any]
) -> None:
    answer = requests.post(f"{paper.url}/paper/{path}", json=body, timeout=10)

    assert answer.status_code in (400, 401, 404)
    assert answer.json()


@pytest.mark.parametrize("fields", [{"quantity": 0}, {"quantity": 9}, {"quantity": 1.5}])
def test_no_more_can_be_filled_than_remains(trader: Trader, fields: dict[str, Any]) -> None:
    order_id = trader.place(trader.condor("4.95"))
    body = {"order_id": order_id, **fields}

    assert trader.call("POST", "/paper/fill", json=body).status_code == 400


def test_a_reset_goes_back_to_the_seed_but_signs_nobody_out(trader: Trader) -> None:
    begin = trader.read_account()
    trader.place(single("F", "BUY", "20.00", quantity=10))
    trader.paper.market(fills="manual", speed=9)
    trader.paper.fault("http_500", times=9)

    trader.paper.reset()

    assert trader.paper.orders() == []
    assert trader.paper.faults() == []
    assert trader.paper.market() == {"fills": "auto", "hours": "always", "speed": 1.0}
    assert trader.read_account()["currentBalances"] == begin["currentBalances"]


def test_the_logins_have_what_a_client_needs(paper: PaperBroker) -> None:
    logins = paper.logins()

    first = logins[0]
    assert len(logins) == 45
    assert [len(first[name]) for name in ("app_key", "app_secret")] == [32, 16]
    assert set(first) == {
        *("label", "app_key", "app_secret", "callback_url", "user", "password", "totp_secret"),
        "accounts",
    }
    assert len({one["accounts"][0]["number"] for one in logins}) == 45


def test_the_same_seed_makes_the_same_logins_and_another_seed_others() -> None:
    def keys(seed: int) -> list[str]:
        return list(Broker(SeedOptions(accounts=3, seed=seed)).oauth.apps)

    assert keys(7) == keys(7)
    assert not set(keys(7)) & set(keys(8))


@pytest.mark.parametrize(
    ("is_local", "headers", "status"),
    [(True, {}, 200), (False, {}, 404), (True, {"origin": "https://evil.example"}, 404)],
)
def test_only_this_machine_and_no_web_page_may_use_the_control_interface(
    is_local: bool, headers: dict[str, str], status: int
) -> None:
    dispatcher = Dispatcher(Broker(SeedOptions(accounts=1)))
    request = Request(0.0, "GET", "/paper/logins", headers=headers, is_local=is_local)

    assert dispatcher.control(request).status == status


def test_there_is_no_control_interface_over_tls(paper: PaperBroker) -> None:
    answer = requests.get(f"{paper.tls_url}/paper/logins", verify=paper.ca_file, timeout=10)

    assert answer.status_code == 404
