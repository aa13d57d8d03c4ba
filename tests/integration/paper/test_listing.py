"""Lists of orders: what must be asked, and what comes back."""

import pytest

from tests.integration.paper.trader import Trader, window


def test_without_orders_the_list_is_empty(trader: Trader) -> None:
    answer = trader.list_orders()

    assert (answer.status_code, answer.json()) == (200, [])


def test_the_newest_order_comes_first(trader: Trader) -> None:
    ids = [int(trader.place(trader.condor("4.95"))) for _ in range(3)]

    listed = [one["orderId"] for one in trader.list_orders().json()]
    of_login = trader.call("GET", "/trader/v1/orders", params=window()).json()

    assert listed == ids[::-1]
    assert [one["orderId"] for one in of_login] == ids[::-1]


def test_a_list_can_be_cut_and_filtered_by_one_status(trader: Trader) -> None:
    filled = int(trader.place(trader.condor("0.50")))
    working = int(trader.place(trader.condor("4.95")))

    assert [one["orderId"] for one in trader.list_orders(maxResults=1).json()] == [working]
    assert [one["orderId"] for one in trader.list_orders(status="FILLED").json()] == [filled]
    assert trader.list_orders(status="EXPIRED").json() == []


def test_only_orders_entered_in_the_window_are_listed(trader: Trader) -> None:
    trader.place(trader.condor("4.95"))
    past = {"fromEnteredTime": "2025-01-01T00:00:00Z", "toEnteredTime": "2025-02-01T00:00:00Z"}

    assert trader.list_orders(**past).json() == []


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-01T12:00:00.000+0000",
        "2024-10-08T16:30:31.469502+00Z",
        "2024-03-01",
        "2024-13-01T00:00:00Z",
        "2024-03-01 12:00:00Z",
        "yesterday",
    ],
)
def test_times_in_other_forms_are_refused_as_schwab_does(trader: Trader, value: str) -> None:
    answer = trader.list_orders(fromEnteredTime=value)

    assert answer.status_code == 400
    assert answer.json() == {"message": f"'{value}' is not a valid value for fromEnteredTime"}


@pytest.mark.parametrize("value", ["2030-03-29T00:00:00Z", "2030-03-29T00:00:00.000Z"])
def test_times_with_and_without_milliseconds_are_taken(trader: Trader, value: str) -> None:
    query = {"fromEnteredTime": value, "toEnteredTime": value}

    assert trader.list_orders(**query).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"status": "WORKING,FILLED"},
        {"status": "OPEN"},
        {"maxResults": "0"},
        {"maxResults": "many"},
        {"fromEnteredTime": None},
        {"toEnteredTime": None},
        {"fromEnteredTime": "2020-01-01T00:00:00Z"},
        {"toEnteredTime": "2020-01-01T00:00:00Z"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(
    trader: Trader, query: dict[str, str | None]
) -> None:
    assert trader.list_orders(**query).status_code == 400


def test_the_list_of_a_login_goes_back_sixty_days(trader: Trader) -> None:
    def listed(days: int) -> int:
        return trader.call("GET", "/trader/v1/orders", params=window(days)).status_code

    assert (listed(59), listed(70)) == (200, 400)


def test_a_trailing_slash_changes_nothing(trader: Trader) -> None:
    assert trader.call("GET", "/trader/v1/accounts/").status_code == 200
    assert trader.on_account("GET", "/orders/", params=window()).json() == []
