"""Expirations and chains come from the broker, in the shape that the desk builds tickets from."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.domain.words import LoginStatus
from accounts.models import BrokerLogin
from strategies.domain.symbols import parse_option
from tests.api.caller import problem_of

ROW = {
    "symbol",
    "strike",
    "put_call",
    "bid",
    "ask",
    "mark",
    "delta",
    "iv",
    "open_interest",
}


@pytest.fixture
def market(caller, fleet):
    """A caller with connected logins."""
    return caller


def a_friday(caller) -> str:
    """Return the expiration of SPX that has both roots: a third Friday."""
    days = [date.fromisoformat(one["expiration"]) for one in caller.get("expirations/SPX/").json()]
    return next(str(day) for day in days if day.weekday() == 4 and 15 <= day.day <= 21)


def test_expirations_are_listed_nearest_first(market):
    rows = market.get("expirations/SPX/").json()

    assert all(set(row) == {"expiration", "days", "settlement"} for row in rows)
    days = [row["expiration"] for row in rows]
    assert days == sorted(days)
    assert len(days) > 10


def test_a_chain_has_a_row_per_strike_and_side(market):
    rows = market.get(f"chains/SPX/{a_friday(market)}/").json()

    assert all(set(row) == ROW for row in rows)
    assert {row["put_call"] for row in rows} == {"PUT", "CALL"}
    places = [(float(row["strike"]), row["put_call"]) for row in rows]
    assert places == sorted(set(places))
    assert all(row["delta"] <= 0 for row in rows if row["put_call"] == "PUT" and row["delta"])
    assert all(row["delta"] >= 0 for row in rows if row["put_call"] == "CALL" and row["delta"])
    for row in rows:
        option = parse_option(row["symbol"])
        assert option.strike == Decimal(row["strike"])
        assert option.put_call == row["put_call"]


def test_the_chain_of_spx_is_that_of_spxw_unless_another_root_is_named(market):
    day = a_friday(market)

    def roots(**query) -> set[str]:
        rows = market.get(f"chains/SPX/{day}/", **query).json()
        return {parse_option(row["symbol"]).root for row in rows}

    assert roots() == {"SPXW"}
    assert roots(root="SPX") == {"SPX"}
    assert roots(root="SPXW") == {"SPXW"}
    assert roots(root="XYZ") == set()


def test_a_day_without_expiration_has_an_empty_chain(market):
    sunday = date.fromisoformat(a_friday(market)) + timedelta(days=2)

    answer = market.get(f"chains/SPX/{sunday}/")

    assert (answer.status_code, answer.json()) == (200, [])


def test_shares_have_chains_too(market):
    day = market.get("expirations/AAPL/").json()[-1]["expiration"]

    rows = market.get(f"chains/AAPL/{day}/").json()

    assert {parse_option(row["symbol"]).root for row in rows} == {"AAPL"}


@pytest.mark.parametrize("path", ["expirations/NOSUCH/", "chains/NOSUCH/2030-01-18/"])
def test_an_underlying_that_the_broker_does_not_know(market, path):
    problem_of(market.get(path), 404, "not_found")


@pytest.mark.parametrize("name", ["spx", "$SPX", "A B", "SPX;", "x" * 40, "S%C2%A7X"])
def test_an_underlying_that_is_no_symbol(market, name):
    problem_of(market.get(f"expirations/{name}/"), 400, "invalid_symbol")


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "tomorrow", "20260101", "2026-1-1"])
def test_a_date_that_is_none(market, day):
    problem_of(market.get(f"chains/SPX/{day}/"), 404, "not_found")


def test_without_a_connected_login_there_is_nobody_to_ask(market):
    BrokerLogin.objects.update(status=LoginStatus.LOGIN_REQUIRED)

    problem_of(market.get("expirations/SPX/"), 503, "login_required")


@pytest.mark.parametrize("fault", ["http_500", "http_429", "drop_before"])
def test_a_broker_that_does_not_answer(market, broker, fault):
    broker.fault(fault, path="/marketdata")

    problem_of(market.get("expirations/SPX/"), 503, "broker_unavailable")


def test_a_broker_that_is_not_there(market, settings):
    settings.BROKER_URL = "https://127.0.0.1:1"

    problem_of(market.get("expirations/SPX/"), 503, "broker_unavailable")


def test_a_broker_that_talks_nonsense(market, broker):
    broker.fault("bad_json", path="/marketdata")

    problem_of(market.get("expirations/SPX/"), 502, "broker_error")


def test_a_token_that_the_broker_refuses(market, broker):
    broker.tokens(access="revoke")

    problem_of(market.get("expirations/SPX/"), 503, "login_required")
