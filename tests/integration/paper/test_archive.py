"""Orders that ended a while ago: out of memory, in a file, and for everybody who asks still there."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from brokerage.paper import state
from brokerage.paper.archive import Finished
from brokerage.paper.order_records import order_record
from tests.integration.paper.trader import Trader, single, window
from tests.support.paper import PaperBroker

A_WHILE_S = 2 * state.KEPT_S


@dataclass
class Shop:
    """A paper broker with a state file, and its customer, who has two accounts."""

    file: Path
    paper: PaperBroker
    trader: Trader

    def orders_in_memory(self) -> set[str]:
        return {str(order_id) for order_id in self.paper.broker.books.orders}

    def trade(self) -> str:
        """Place orders that fill, are canceled and rejected; return one that goes on working."""
        trader = self.trader
        for account in trader.login["accounts"]:
            trader.account = account["hash"]
            trader.place(trader.condor("0.50", quantity=2))
            trader.place(single("F", "BUY", "20.00", quantity=7))
            canceled = trader.place(trader.condor("4.95"))
            trader.on_account("DELETE", f"/orders/{canceled}").raise_for_status()
            self.paper.fault("reject", method="POST", path="/orders")
            trader.place(trader.condor("0.55"))
        return trader.place(trader.condor("4.90"))

    def wait_a_while(self) -> None:
        """Wait until what is over has left the memory and the state file."""
        self.paper.clock(A_WHILE_S)
        is_over = [one for one in self.paper.orders() if one["status"] != "WORKING"]
        gone = {str(one["orderId"]) for one in is_over}
        wait_until(lambda: not gone & self.orders_in_memory())
        wait_until(lambda: not any(name in self.file.read_text() for name in gone))

    def restart(self) -> None:
        self.paper.stop()
        self.start_again()

    def start_again(self) -> None:
        self.paper = PaperBroker(state_file=self.file, accounts=2, accounts_per_login=2)
        self.trader.paper = self.paper
        self.trader.sign_in()

    def everything(self) -> Any:
        """Read all that is to be read of orders, in every way there is."""
        trader = self.trader
        answers = [trader.call("GET", "/trader/v1/orders", params=window())]
        for account in trader.login["accounts"]:
            trader.account = account["hash"]
            answers += [
                trader.list_orders(),
                trader.list_orders(status="FILLED"),
                trader.list_orders(maxResults=2),
                trader.list_orders(**window(days=30)),
                trader.on_account("GET", "/transactions", params=trades()),
            ]
        orders = self.paper.orders()
        answers += [
            trader.call("GET", f"/trader/v1/accounts/{one['account']}/orders/{one['orderId']}")
            for one in orders
        ]
        assert all(answer.ok for answer in answers)
        return [orders, *(answer.json() for answer in answers)]


def trades() -> dict[str, str]:
    asked = window()
    return {
        "startDate": asked["fromEnteredTime"],
        "endDate": asked["toEnteredTime"],
        "types": "TRADE",
    }


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    file = tmp_path / "state.json"
    paper = PaperBroker(state_file=file, accounts=2, accounts_per_login=2)
    paper.market(speed=0)
    shop = Shop(file, paper, Trader(paper))
    yield shop
    shop.trader.session.close()
    shop.paper.stop()


def test_what_is_over_leaves_the_memory_and_nobody_sees_a_difference(shop: Shop) -> None:
    working = shop.trade()
    before = shop.everything()

    shop.wait_a_while()
    archived = shop.everything()
    shop.restart()
    shop.wait_a_while()

    assert archived == before
    assert shop.everything() == before
    assert shop.orders_in_memory() == {working}
    assert len(before[0]) == 9
    assert {one["status"] for one in before[0]} == {"FILLED", "CANCELED", "REJECTED", "WORKING"}


def test_an_order_made_later_stands_in_lists_before_those_that_are_archived(shop: Shop) -> None:
    shop.trade()
    shop.wait_a_while()
    shop.paper.clock(0)
    latest = shop.trader.place(shop.trader.condor("4.85"))

    listed = [one["orderId"] for one in shop.trader.list_orders().json()]
    cut = [one["orderId"] for one in shop.trader.list_orders(maxResults=3).json()]

    assert listed == sorted(listed, reverse=True)
    assert (listed[0], cut) == (int(latest), listed[:3])
    assert len(set(listed)) == 6


def test_an_archived_order_can_be_canceled_or_filled_no_more_than_before(shop: Shop) -> None:
    shop.trade()
    shop.wait_a_while()
    filled = shop.trader.list_orders(status="FILLED").json()[0]["orderId"]

    canceled = shop.trader.on_account("DELETE", f"/orders/{filled}")

    assert (canceled.status_code, canceled.json()) == (400, {"message": "Order cannot be canceled"})
    with pytest.raises(Exception, match="400"):
        shop.paper.fill(filled)


def test_an_order_is_listed_once_while_it_is_in_both_places(shop: Shop) -> None:
    shop.trade()
    before = shop.everything()
    broker = shop.paper.broker
    over = [order for order in broker.books.orders.values() if not order.is_open]

    broker.archive.add(
        broker.books.name,
        [
            Finished.of(
                order,
                text=broker.order_text(order),
                record=json.dumps(order_record(order), default=str).encode(),
            )
            for order in over
        ],
    )

    assert len(over) == 8
    assert shop.everything() == before


def test_a_broker_killed_between_the_two_files_has_every_order_once(
    shop: Shop, tmp_path: Path
) -> None:
    shop.trade()
    before = shop.everything()
    shop.restart()  # all is saved
    earlier = shutil.copy(shop.file, tmp_path / "earlier.json")
    shop.wait_a_while()
    shop.paper.stop()
    shutil.copy(earlier, shop.file)

    shop.start_again()

    assert shop.everything() == before


def test_a_reset_forgets_archived_orders_too(shop: Shop) -> None:
    shop.trade()
    shop.wait_a_while()

    shop.paper.reset()
    forgotten = shop.paper.orders()
    shop.restart()

    assert (forgotten, shop.paper.orders()) == ([], [])


def test_an_archive_without_its_state_is_not_shown(shop: Shop) -> None:
    shop.trade()
    shop.wait_a_while()
    shop.paper.stop()
    shop.file.unlink()

    shop.start_again()
    before = shop.paper.orders()
    shop.trade()
    shop.wait_a_while()

    assert before == []
    assert len(shop.paper.orders()) == 9


def test_an_archive_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.json.archive").write_text("what is this? " * 1000)

    with pytest.raises(state.BrokenState, match="is broken"):
        PaperBroker(state_file=tmp_path / "state.json")


def test_what_could_not_be_saved_is_saved_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = os.fsync
    refused: list[int] = []

    def refuse_twice(file: int) -> None:
        if len(refused) < 2:
            refused.append(file)
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", refuse_twice)
    working = shop.trade()

    wait_until(lambda: shop.file.exists() and working in shop.file.read_text())

    assert len(refused) == 2
    assert "No space left on device" in caplog.text


@pytest.mark.parametrize("name", [2**63 - 1, 2**63, 10**19 - 1])
def test_a_number_that_no_order_has_is_not_found(shop: Shop, name: int) -> None:
    answer = shop.trader.on_account("GET", f"/orders/{name}")

    assert (answer.status_code, answer.json()) == (404, {"message": "Order not found"})
