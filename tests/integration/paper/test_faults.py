"""Laying out faults: whom they hit, how often, and how they are taken back."""

from typing import Any

import pytest

from tests.integration.paper.test_mishaps import GONE, POST, post
from tests.integration.paper.trader import Trader


def test_a_fault_is_used_as_often_as_told_and_the_oldest_first(trader: Trader) -> None:
    trader.paper.fault("http_500", **POST, times=2)
    trader.paper.fault("http_429", **POST)

    assert [post(trader).status_code for _ in range(4)] == [500, 500, 429, 201]


def test_a_fault_hits_only_its_account_method_and_path(trader: Trader) -> None:
    other = trader.paper.logins()[1]["accounts"][0]["hash"]
    trader.paper.fault("http_500", account=other)
    trader.paper.fault("http_500", method="PUT")
    trader.paper.fault("http_500", path="/previewOrder")

    assert post(trader).status_code == 201
    assert trader.on_account("POST", "/previewOrder", json=trader.condor("1.00")).status_code == 500
    assert len(trader.paper.faults()) == 2


def test_a_fault_of_an_account_hits_its_requests(trader: Trader) -> None:
    trader.paper.fault("http_500", account=trader.account)

    assert trader.call("GET", "/trader/v1/accounts").status_code == 200
    assert trader.on_account("GET").status_code == 500


def test_a_fault_waits_for_a_request_that_can_suffer_it(trader: Trader) -> None:
    trader.paper.fault("reject")
    trader.paper.fault("fill_on_cancel")

    trader.read_account()
    assert len(trader.paper.faults()) == 2
    assert trader.placed(trader.condor("4.95"))["status"] == "REJECTED"
    assert [one["fault"] for one in trader.paper.faults()] == ["fill_on_cancel"]


def test_faults_also_hit_market_data_and_tokens(trader: Trader) -> None:
    trader.paper.fault("http_500", path="/marketdata/")
    trader.paper.fault("drop_before", path="/v1/oauth/token")

    assert trader.call("GET", "/marketdata/v1/quotes?symbols=F").status_code == 500
    with pytest.raises(GONE):
        trader.sign_in()


def test_a_probability_of_zero_never_hits_and_of_one_half_sometimes(trader: Trader) -> None:
    never = trader.paper.fault("http_500", **POST, probability=0)
    assert post(trader).status_code == 201

    trader.paper.fault("http_500", method="GET", times=1000, probability=0.5)
    answers = {trader.call("GET", "/trader/v1/accounts").status_code for _ in range(40)}

    assert answers == {200, 500}
    assert never in [one["id"] for one in trader.paper.faults()]


@pytest.mark.parametrize("name", ["flood", None])
def test_faults_that_do_not_exist_are_refused(trader: Trader, name: str | None) -> None:
    answer = trader.call("POST", "/paper/faults", json={"fault": name})

    assert answer.status_code == 400
    assert "fault" in answer.json()["message"]


@pytest.mark.parametrize("fields", [{"times": "often"}, {"delay_ms": -1}, {"probability": []}])
def test_fields_of_a_fault_must_make_sense(trader: Trader, fields: dict[str, Any]) -> None:
    answer = trader.call("POST", "/paper/faults", json={"fault": "http_500", **fields})

    assert answer.status_code == 400


def test_faults_can_be_taken_back_one_by_one_or_all(trader: Trader) -> None:
    first = trader.paper.fault("http_500")
    trader.paper.fault("http_429", times=3)
    trader.paper.fault("http_401")

    assert trader.call("DELETE", f"/paper/faults/{first}").ok
    assert trader.call("DELETE", f"/paper/faults/{first}").status_code == 404
    assert [one["fault"] for one in trader.paper.faults()] == ["http_429", "http_401"]
    assert trader.call("DELETE", "/paper/faults").ok
    assert trader.paper.faults() == []
