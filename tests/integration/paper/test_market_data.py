"""Market data over the wire: what may be asked, and how unknown things are told."""

from typing import Any

import pytest

from tests.integration.paper.trader import Trader


def ask(trader: Trader, path: str, **query: Any) -> Any:
    return trader.call("GET", f"/marketdata/v1/{path}", params=query)


def test_quotes_name_the_symbols_they_do_not_know(trader: Trader) -> None:
    put = trader.condor_symbols()[0]

    answer = ask(trader, "quotes", symbols=f"AAPL,$SPX,{put},XXXX")

    assert set(answer.json()) == {"AAPL", "$SPX", put, "errors"}
    assert answer.json()["errors"] == {"invalidSymbols": ["XXXX"]}
    assert answer.headers["Schwab-Resource-Version"] == "1"


def test_fields_of_quotes_can_be_chosen(trader: Trader) -> None:
    shown = ask(trader, "quotes", symbols="AAPL", fields="quote,reference").json()["AAPL"]

    assert {"quote", "reference", "symbol"} <= set(shown)
    assert not {"fundamental", "regular"} & set(shown)


def test_one_symbol_is_a_map_too(trader: Trader) -> None:
    assert set(ask(trader, "%24SPX/quotes").json()) == {"$SPX"}
    assert ask(trader, "XXXX/quotes").status_code == 404


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("quotes", {}),
        ("quotes", {"symbols": ",".join(["F"] * 501)}),
        ("quotes", {"symbols": "F", "fields": "everything"}),
        ("chains", {}),
        ("chains", {"symbol": "AAPL", "contractType": "BOTH"}),
        ("chains", {"symbol": "AAPL", "fromDate": "tomorrow"}),
        ("chains", {"symbol": "AAPL", "strike": "high"}),
        ("chains", {"symbol": "AAPL", "strikeCount": "-1"}),
        ("expirationchain", {}),
        ("markets", {}),
        ("markets", {"markets": "equity,moon"}),
        ("markets", {"markets": "equity", "date": "2020-01-01"}),
        ("instruments", {"symbol": "AAPL"}),
    ],
)
def test_queries_that_make_no_sense_are_refused(
    trader: Trader, path: str, query: dict[str, str]
) -> None:
    assert ask(trader, path, **query).status_code == 400


def test_unknown_underlyings_have_no_options(trader: Trader) -> None:
    assert ask(trader, "chains", symbol="XXXX").status_code == 404
    assert ask(trader, "expirationchain", symbol="XXXX").status_code == 404


def test_a_chain_can_be_narrowed(trader: Trader) -> None:
    expiration = ask(trader, "expirationchain", symbol="AAPL").json()["expirationList"][1]
    on = expiration["expirationDate"]
    narrow = {"strikeCount": 4, "fromDate": on, "toDate": on, "contractType": "PUT"}

    shown = ask(trader, "chains", symbol="AAPL", includeUnderlyingQuote="True", **narrow).json()

    (strikes,) = shown["putExpDateMap"].values()
    assert len(strikes) == 4
    assert shown["callExpDateMap"] == {}
    assert shown["underlying"]["symbol"] == "AAPL"


def test_hours_are_told_for_one_or_several_markets(trader: Trader) -> None:
    several = ask(trader, "markets", markets="equity,option").json()
    one = ask(trader, "markets/option").json()

    assert several["equity"]["EQ"]["isOpen"] is True
    assert set(one["option"]) == {"EQO", "IND"}


def test_instruments_are_found_by_symbol(trader: Trader) -> None:
    found = ask(trader, "instruments", symbol="AAPL,XXXX", projection="symbol-search").json()

    assert [one["symbol"] for one in found["instruments"]] == ["AAPL"]
