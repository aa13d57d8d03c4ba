"""Faults: each does to the request it hits what it is named for, and only that."""

import time
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.integration.paper.trader import Trader, net_of, window

GONE = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
POST = {"method": "POST", "path": "/orders"}


def post(trader: Trader, *, timeout: float = 10) -> requests.Response:
    return trader.on_account("POST", "/orders", json=trader.condor("4.95"), timeout=timeout)


def last_row(trader: Trader) -> Any:
    """Return the journal's row of the last order write."""
    return [one for one in trader.paper.journal() if one["method"] in ("POST", "PUT")][-1]


def wait_for_order(trader: Trader) -> Any:
    deadline = time.monotonic() + 5
    while not (found := trader.paper.orders()):
        assert time.monotonic() < deadline, "The order was never placed."
        time.sleep(0.02)
    return found[0]


def test_a_delayed_request_is_handled_later(trader: Trader) -> None:
    trader.paper.fault("delay", **POST, delay_ms=150)
    order = trader.condor("4.95")

    begin = time.monotonic()
    answer = trader.on_account("POST", "/orders", json=order)

    assert answer.status_code == 201
    assert time.monotonic() - begin >= 0.15


def test_a_client_that_leaves_during_the_delay_still_gets_its_order_placed(
    trader: Trader,
) -> None:
    trader.paper.fault("delay", **POST, delay_ms=300)

    with pytest.raises(requests.ReadTimeout):
        post(trader, timeout=0.05)
    before = trader.paper.orders()
    placed = wait_for_order(trader)

    row = last_row(trader)
    assert before == []
    assert (row["placed"], row["order_id"]) == (True, str(placed["orderId"]))
    assert row["status"] is None


def test_drop_before_places_nothing(trader: Trader) -> None:
    trader.paper.fault("drop_before", **POST)

    with pytest.raises(GONE):
        post(trader)

    row = last_row(trader)
    assert trader.paper.orders() == []
    assert (row["status"], row["placed"], row["order_id"]) == (None, False, None)


def test_drop_after_places_the_order(trader: Trader) -> None:
    trader.paper.fault("drop_after", **POST)

    with pytest.raises(GONE):
        post(trader)

    (placed,) = trader.paper.orders()
    row = last_row(trader)
    assert (row["status"], row["placed"]) == (None, True)
    assert row["order_id"] == str(placed["orderId"])


def test_never_answer_after_places_the_order_and_stays_silent(trader: Trader) -> None:
    trader.paper.fault("never_answer_after", **POST)

    with pytest.raises(requests.ReadTimeout):
        post(trader, timeout=0.2)

    assert len(trader.paper.orders()) == 1
    assert last_row(trader)["status"] is None


@pytest.mark.parametrize(
    ("name", "status", "is_placed"),
    [
        ("http_500", 500, False),
        ("http_500_after", 500, True),
        ("http_400_500_body", 400, False),
        ("http_429", 429, False),
        ("http_401", 401, False),
        ("html_403", 403, False),
        ("redirect", 302, False),
        ("bad_json", 201, True),
        ("no_location", 201, True),
        ("wrong_location", 201, True),
        ("reject", 201, True),
        ("partial_fill", 201, True),
        ("late_listing", 201, True),
    ],
)
def test_what_is_answered_is_journaled_with_whether_an_order_was_placed(
    trader: Trader, name: str, status: int, is_placed: bool
) -> None:
    trader.paper.fault(name, **POST)

    answer = post(trader)

    row = last_row(trader)
    assert answer.status_code == status
    assert answer.headers["Schwab-Client-CorrelId"]
    assert (row["status"], row["placed"]) == (status, is_placed)
    assert len(trader.paper.orders()) == is_placed
    assert trader.paper.faults() == []


def test_the_500s_have_schwab_s_bodies(trader: Trader) -> None:
    trader.paper.fault("http_500", **POST)
    trader.paper.fault("http_400_500_body", **POST)

    plain, inside = post(trader), post(trader)

    assert "unexpected error" in plain.json()["message"]
    assert inside.json()["errors"][0]["status"] == 500


def test_a_fault_can_bring_its_own_body(trader: Trader) -> None:
    trader.paper.fault("http_500", **POST, body={"message": "weekend"})
    trader.paper.fault("html_403", **POST, body="<html>no</html>")

    assert post(trader).json() == {"message": "weekend"}
    page = post(trader)
    assert (page.text, page.headers["Content-Type"]) == ("<html>no</html>", "text/html")


@pytest.mark.parametrize("fields", [{"retry_after": 7}, {"body": {"retry_after": 7}}])
def test_too_many_requests_say_when_to_come_back(trader: Trader, fields: dict[str, Any]) -> None:
    trader.paper.fault("http_429", **POST, **fields)
    trader.paper.fault("http_429", **POST)

    with_wait, without = post(trader), post(trader)

    assert with_wait.headers["Retry-After"] == "7"
    assert with_wait.json() == {"message": "Rate Limit Exceeded"}
    assert "Retry-After" not in without.headers


def test_a_redirect_leads_to_a_page_that_is_no_answer(trader: Trader) -> None:
    trader.paper.fault("redirect", **POST)

    target = post(trader).headers["Location"]

    assert trader.call("GET", target).status_code == 404


def test_bad_json_cannot_be_read(trader: Trader) -> None:
    trader.paper.fault("bad_json", method="GET", path="/accounts")

    answer = trader.call("GET", "/trader/v1/accounts")

    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_truncated_answer_ends_in_the_middle(trader: Trader, method: str) -> None:
    trader.paper.fault("truncated", method=method, path=trader.account)

    with pytest.raises(GONE):
        post(trader) if method == "POST" else trader.on_account("GET")

    assert len(trader.paper.orders()) == (method == "POST")


def test_a_dripping_answer_keeps_a_client_waiting_byte_by_byte(trader: Trader) -> None:
    trader.paper.fault("drip", method="GET", path="/accounts", delay_ms=100)

    with pytest.raises(requests.ReadTimeout):
        trader.call("GET", "/trader/v1/accounts", timeout=(5, 0.05))


def test_a_fast_drip_arrives_whole(trader: Trader) -> None:
    trader.paper.fault("drip", method="GET", path="/accountNumbers", delay_ms=0.1)

    answer = trader.call("GET", "/trader/v1/accounts/accountNumbers")

    assert answer.json()[0]["hashValue"] == trader.account
    assert trader.paper.journal()[-1]["status"] == 200


def test_no_location_and_a_wrong_one(trader: Trader) -> None:
    trader.paper.fault("no_location", **POST)
    trader.paper.fault("wrong_location", **POST, times=2)

    first, second = post(trader), post(trader)

    placed = [one["orderId"] for one in trader.paper.orders()]
    assert "Location" not in first.headers
    assert second.headers["Location"].endswith(f"/{placed[0]}")


def test_a_wrong_location_without_another_order_names_none(trader: Trader) -> None:
    trader.paper.fault("wrong_location", **POST)

    named = post(trader).headers["Location"].rpartition("/")[2]

    assert trader.on_account("GET", f"/orders/{named}").status_code == 404
    assert len(trader.paper.orders()) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "not approved"),
        ("No trades are currently allowed", "No trades are currently allowed"),
        ({"statusDescription": "Restricted"}, "Restricted"),
    ],
)
def test_a_rejected_order_is_taken_first(trader: Trader, body: Any, words: str) -> None:
    trader.paper.fault("reject", **POST, body=body)

    shown = trader.placed(trader.condor("0.50"))

    assert shown["status"] == "REJECTED"
    assert words in shown["statusDescription"]


@pytest.mark.parametrize(("body", "filled"), [(None, 2.0), ({"quantity": 3}, 3.0)])
def test_a_partial_fill_leaves_the_rest_working_until_told(
    trader: Trader, body: Any, filled: float
) -> None:
    trader.paper.fault("partial_fill", **POST, body=body)

    order_id = trader.place(trader.condor("0.50", quantity=5))
    trader.paper.market()  # the market looks at every order
    shown = trader.order(order_id)

    assert (shown["status"], shown["filledQuantity"]) == ("WORKING", filled)
    assert net_of(shown) > 0
    assert trader.paper.fill(order_id)["status"] == "FILLED"


def test_a_late_listing_can_be_read_by_its_id_only(trader: Trader) -> None:
    trader.paper.fault("late_listing", **POST, delay_ms=300)

    order_id = trader.place(trader.condor("4.95"))
    at_once = trader.list_orders().json()
    of_login = trader.call("GET", "/trader/v1/orders", params=window()).json()
    by_id = trader.status(order_id)
    time.sleep(0.3)

    assert (at_once, of_login, by_id) == ([], [], "WORKING")
    assert len(trader.list_orders().json()) == 1


@pytest.mark.parametrize("count", [0, 2])
def test_a_cut_list_is_no_json(trader: Trader, count: int) -> None:
    for _ in range(count):
        post(trader)
    trader.paper.fault("cut_list", path="/orders")

    answer = trader.list_orders()

    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(("body", "status"), [(None, "PENDING_VENUE_REVIEW"), ("ODD", "ODD")])
def test_an_unlisted_status_is_shown_in_one_read(trader: Trader, body: Any, status: str) -> None:
    order_id = trader.place(trader.condor("4.95"))
    trader.paper.fault("unknown_status", body=body, times=2)

    listed, read = trader.list_orders().json()[0]["status"], trader.status(order_id)

    assert (listed, read) == (status, status)
    assert trader.status(order_id) == "WORKING"


def test_an_order_can_fill_as_its_cancel_arrives(trader: Trader) -> None:
    order_id = trader.place(trader.condor("4.50"))
    trader.paper.fault("fill_on_cancel")

    answer = trader.on_account("DELETE", f"/orders/{order_id}")

    shown = trader.order(order_id)
    assert answer.status_code == 200
    assert (shown["status"], net_of(shown)) == ("FILLED", Decimal("4.5"))
