"""What is listed: expirations, roots, strikes, and how long they stay."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerage.paper.market.trading_days import holidays, is_trading_day, third_friday
from brokerage.paper.market.underlyings import UNDERLYINGS
from strategies.domain.new_york import EASTERN
from strategies.domain.symbols import parse_option, underlying_of
from tests.unit.paper_market.markets import (
    WEDNESDAY_NOON,
    chain_of,
    expirations_of,
    make_market,
    move_to,
    price_of,
    rows,
)

THIRD_FRIDAY = date(2025, 12, 19)
DAYS = st.dates(date(2024, 1, 1), date(2035, 12, 31))
CONTRACT_0DTE = "SPXW  251119C06500000"


def expirations(market, symbol):
    return [
        (row["optionRoots"], date.fromisoformat(row["expirationDate"]))
        for row in expirations_of(market, symbol)
    ]


@given(DAYS, st.sampled_from(sorted(UNDERLYINGS)))
def test_everything_expires_on_trading_days_from_today_on(today, symbol):
    market = make_market(at=datetime(today.year, today.month, today.day, 10, tzinfo=EASTERN))
    days = [day for _, day in expirations(market, symbol)]

    assert all(is_trading_day(day) and day >= today for day in days)
    assert days == sorted(days)
    assert len(days) >= 14


@given(DAYS)
def test_what_is_listed_stays_listed_until_it_expires(today):
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=EASTERN)
    market = make_market(at=noon)
    before = set(expirations(market, "$SPX"))
    move_to(market, noon + timedelta(days=1))

    gone = before - set(expirations(market, "$SPX"))
    assert all(
        day <= today + timedelta(days=4) if root == "SPX" else day == today for root, day in gone
    )


def test_the_third_friday_of_spx_carries_both_roots_in_one_list():
    market = make_market()
    chain = chain_of(market, "$SPX", from_date=THIRD_FRIDAY, to_date=THIRD_FRIDAY)
    by_strike = chain["callExpDateMap"]["2025-12-19:30"]

    assert [row["symbol"] for row in by_strike["6500.0"]] == [
        "SPX   251219C06500000",
        "SPXW  251219C06500000",
    ]
    assert [row["settlementType"] for row in by_strike["6500.0"]] == ["A", "P"]


def test_only_third_fridays_have_the_root_that_settles_in_the_morning():
    monthly = [day for root, day in expirations(make_market(), "$SPX") if root == "SPX"]

    assert len(monthly) == 12
    assert monthly[:2] == [date(2025, 11, 21), THIRD_FRIDAY]
    assert date(2026, 6, 18) in monthly, "Juneteenth 2026 is the third Friday"
    assert all(
        day + timedelta(days=1) in holidays(day.year) for day in monthly if day.weekday() != 4
    )


def test_spx_expires_daily_and_a_share_on_fridays():
    market = make_market()
    spx = [day for root, day in expirations(market, "$SPX") if root == "SPXW"]
    aapl = [day for _, day in expirations(market, "AAPL")]

    assert [day.day for day in spx[:7]] == [19, 20, 21, 24, 25, 26, 28]
    assert aapl[:3] == [date(2025, 11, 21), date(2025, 11, 28), date(2025, 12, 5)]
    assert aapl[-1] == third_friday(2026, 7)


def test_the_options_of_vix_expire_thirty_days_before_those_of_the_next_month():
    standard = [day for root, day in expirations(make_market(), "$VIX") if root == "VIX"]

    assert standard[:2] == [date(2025, 12, 17), date(2026, 1, 21)]


@pytest.mark.parametrize("symbol", sorted(UNDERLYINGS))
def test_every_listed_symbol_can_be_read_and_belongs_to_its_underlying(symbol):
    market = make_market()
    for row in rows(chain_of(market, symbol, to_date=date(2025, 11, 28))):
        option = parse_option(row["symbol"])

        assert f"{option.expiration}T" in row["expirationDate"]
        assert (option.root, float(option.strike)) == (row["optionRoot"], row["strikePrice"])
        assert underlying_of(row["symbol"]) == UNDERLYINGS[symbol].common
        assert market.is_listed(row["symbol"])


def test_strikes_do_not_move_with_the_price():
    market = make_market()
    before = [row["symbol"] for row in rows(chain_of(market, "$SPX", to_date=THIRD_FRIDAY))]
    market.set_prices({"SPX": price_of(market, "SPX") * 2})
    after = [row["symbol"] for row in rows(chain_of(market, "$SPX", to_date=THIRD_FRIDAY))]

    assert before == after


def test_spx_has_a_strike_every_five_points_around_its_price():
    market = make_market()
    strikes = {row["strikePrice"] for row in rows(chain_of(market, "$SPX", to_date=market.today))}

    assert {6000.0 + 5 * step for step in range(200)} <= strikes
    assert (min(strikes) < 3_000, max(strikes) > 10_000) == (True, True)


@pytest.mark.parametrize(
    "symbol",
    [
        "SPXW251205C06500000",
        "SPXW  251206C06500000",
        "SPXW  251205C06501000",
        "SPXX  251205C06500000",
        "SPXW  251118C06500000",
        "SPX   251205C06500000",
        "SPX",
        "XXXX",
        "",
    ],
)
def test_what_is_not_listed_has_no_quote(symbol):
    market = make_market()

    assert market.quote(symbol) is None
    assert not market.is_listed(symbol)


def test_todays_options_trade_until_the_close_of_the_exchanges():
    market = make_market(hours="nyse")
    move_to(market, WEDNESDAY_NOON.replace(hour=15, minute=59))
    assert market.quote(CONTRACT_0DTE) is not None

    move_to(market, WEDNESDAY_NOON.replace(hour=16))
    assert market.quote(CONTRACT_0DTE) is None
    assert expirations(market, "$SPX")[0] == ("SPXW", date(2025, 11, 20))


def test_todays_options_trade_until_midnight_in_a_market_that_is_always_open():
    market = make_market()
    market.speed = 0
    move_to(market, WEDNESDAY_NOON.replace(hour=23, minute=59))
    assert market.quote(CONTRACT_0DTE) is not None

    move_to(market, WEDNESDAY_NOON.replace(hour=23) + timedelta(hours=1))
    assert market.quote(CONTRACT_0DTE) is None


def test_options_settled_in_the_morning_trade_for_the_last_time_the_day_before():
    market = make_market(at=datetime(2025, 12, 18, 12, tzinfo=EASTERN))
    assert market.is_listed("SPX   251219C06500000")

    move_to(market, datetime(2025, 12, 19, 8, tzinfo=EASTERN))
    assert not market.is_listed("SPX   251219C06500000")
    assert market.is_listed("SPXW  251219C06500000")


def test_a_chain_can_be_narrowed():
    market = make_market()
    day = date(2025, 12, 5)
    puts = chain_of(
        market, "$SPX", contract_type="PUT", from_date=day, to_date=day, strike_count=10
    )
    one = chain_of(market, "$SPX", from_date=day, to_date=day, strike=Decimal(6400))
    spot = float(price_of(market, "SPX"))

    assert (puts["numberOfContracts"], puts["callExpDateMap"]) == (10, {})
    assert all(abs(row["strikePrice"] - spot) <= 30 for row in rows(puts))
    assert [row["symbol"] for row in rows(one)] == [
        "SPXW  251205C06400000",
        "SPXW  251205P06400000",
    ]
    assert chain_of(market, "$SPX", option_type="NS")["numberOfContracts"] == 0
    assert market.chain_json(symbol="SPX") is None
    assert market.expirations_json("XXXX") is None


def test_the_holidays_of_2025_to_2027_are_those_of_the_exchanges():
    assert sorted(holidays(2025)) == [
        date(2025, 1, 1), date(2025, 1, 20), date(2025, 2, 17), date(2025, 4, 18),
        date(2025, 5, 26), date(2025, 6, 19), date(2025, 7, 4), date(2025, 9, 1),
        date(2025, 11, 27), date(2025, 12, 25),
    ]  # fmt: skip
    assert sorted(holidays(2026)) == [
        date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 4, 3),
        date(2026, 5, 25), date(2026, 6, 19), date(2026, 7, 3), date(2026, 9, 7),
        date(2026, 11, 26), date(2026, 12, 25),
    ]  # fmt: skip
    assert {date(2027, 6, 18), date(2027, 7, 5), date(2027, 12, 24)} <= holidays(2027)
    assert date(2021, 12, 31) not in holidays(2021) | holidays(2022)
