"""How prices move: by seed, with time and speed, by hand, and over a restart."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.paper_market.markets import (
    WEDNESDAY_NOON,
    chain_of,
    make_market,
    move_to,
    price_of,
    quote_of,
    rows,
)

NAMES = ("SPX", "SPY", "AAPL", "VIX", "F")
CONDOR_LEG = "SPXW  251205P06300000"


def walk(market, steps=20):
    for step in range(1, steps + 1):
        market.advance(market.now + 0.25 * step)


def prices(market):
    return [price_of(market, name) for name in NAMES]


def test_the_same_seed_and_calls_give_the_same_prices():
    one, twin, other = make_market(seed=1), make_market(seed=1), make_market(seed=2)
    for market in (one, twin, other):
        walk(market)

    assert prices(one) == prices(twin)
    assert quote_of(one, CONDOR_LEG) == quote_of(twin, CONDOR_LEG)
    assert prices(one) != prices(other)


def test_prices_move_with_time():
    market = make_market()
    before = price_of(market, "SPX")
    walk(market)

    assert 0 < abs(price_of(market, "SPX") - before) < 20


def test_a_faster_market_moves_further():
    slow, fast = make_market(), make_market()
    fast.speed = 10_000
    first = price_of(slow, "SPX")
    for market in (slow, fast):
        move_to(market, WEDNESDAY_NOON + timedelta(seconds=10))

    assert abs(price_of(fast, "SPX") - first) > 20 * abs(price_of(slow, "SPX") - first)


def test_a_frozen_market_keeps_the_prices_of_options_too():
    market = make_market()
    market.speed = 0
    before, quote = prices(market), quote_of(market, CONDOR_LEG)
    move_to(market, WEDNESDAY_NOON + timedelta(hours=3))

    assert prices(market) == before
    assert quote_of(market, CONDOR_LEG) == quote


def test_a_frozen_market_still_ages_its_options_overnight():
    market = make_market()
    market.speed = 0
    before = quote_of(market, CONDOR_LEG)
    move_to(market, WEDNESDAY_NOON + timedelta(days=5))

    assert quote_of(market, CONDOR_LEG).mark < before.mark


def test_prices_rest_while_the_exchanges_are_closed():
    market = make_market(at=WEDNESDAY_NOON.replace(hour=17), hours="nyse")
    before = prices(market)
    move_to(market, WEDNESDAY_NOON.replace(hour=18))

    assert prices(market) == before


def test_the_index_its_mini_and_its_fund_move_together():
    market = make_market()
    market.speed = 100_000
    walk(market)

    spx = price_of(market, "SPX")
    assert float(price_of(market, "XSP") * 10 / spx) == pytest.approx(1, abs=1e-4)
    assert float(price_of(market, "SPY") / spx) == pytest.approx(648 / 6500, abs=1e-4)


def test_a_day_that_ends_becomes_the_close_before():
    market = make_market()
    last = price_of(market, "AAPL")
    market.speed = 0
    move_to(market, WEDNESDAY_NOON + timedelta(days=1))
    quote = market.quotes_json(["AAPL"])["AAPL"]["quote"]

    assert quote["closePrice"] == quote["openPrice"] == quote["highPrice"] == float(last)
    assert quote["netChange"] == 0


def test_prices_are_what_they_were_set_to():
    market = make_market()
    market.speed = 0
    market.set_prices({"SPX": Decimal("6123.45"), "$RUT": Decimal(2000), "AAPL": Decimal("199.99")})
    walk(market)

    assert price_of(market, "$SPX") == price_of(market, "SPX") == Decimal("6123.45")
    assert price_of(market, "RUT") == Decimal(2000)
    assert quote_of(market, "AAPL").last == Decimal("199.99")
    assert quote_of(market, "AAPL").bid < Decimal("199.99") < quote_of(market, "AAPL").ask


def test_options_follow_a_price_at_once():
    market = make_market()
    put, call = quote_of(market, CONDOR_LEG), quote_of(market, "SPXW  251205C06300000")
    market.set_prices({"SPX": price_of(market, "SPX") - 100})

    assert quote_of(market, CONDOR_LEG).mark > put.mark
    assert quote_of(market, "SPXW  251205C06300000").mark < call.mark


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"XXXX": Decimal(1)}, KeyError),
        ({"F": Decimal(0)}, ValueError),
        ({"F": Decimal("NaN")}, ValueError),
    ],
)
def test_wrong_prices_change_nothing(wrong, error):
    market = make_market()
    before = prices(market)
    with pytest.raises(error):
        market.set_prices({"SPX": Decimal(6000), **wrong})

    assert prices(market) == before


def test_a_restored_market_goes_on_as_if_it_had_never_stopped():
    market = make_market(seed=3)
    market.speed = 5.0
    walk(market)
    market.set_prices({"AAPL": Decimal(210)})
    market.hours = "nyse"
    copy = make_market(seed=99)
    copy.restore(json.loads(json.dumps(market.state())))

    assert (copy.now, copy.speed, copy.hours) == (market.now, 5.0, "nyse")
    assert quote_of(copy, CONDOR_LEG) == quote_of(market, CONDOR_LEG)
    for one in (market, copy):
        walk(one)
    assert copy.state() == market.state()
    assert copy.quotes_json(["AAPL", "$SPX"]) == market.quotes_json(["AAPL", "$SPX"])


def test_a_thousand_years_of_walking_leave_every_price_writable():
    market = make_market()
    market.speed = 1e9
    walk(market, steps=50)

    assert all(Decimal("0.01") <= price < 100_000 for price in prices(market))
    assert quote_of(market, "AAPL").bid >= 0


@pytest.mark.parametrize("price", ["0.01", "0.50", "99999.99"])
def test_options_can_be_quoted_however_far_a_price_has_gone(price):
    market = make_market()
    market.set_prices({"SPX": Decimal(price)})

    assert all(
        0 <= row["bid"] < row["ask"] for row in rows(chain_of(market, "$SPX", to_date=market.today))
    )
