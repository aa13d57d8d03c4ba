"""Option prices make sense, whatever the market: parity, order of strikes, deltas, ticks."""

import math
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerage.paper.market import pricing, quotes
from strategies.domain.symbols import parse_option
from strategies.domain.tickets import Strategy
from strategies.domain.ticks import on_tick, tick_for
from tests.unit.paper_market.markets import WEDNESDAY_NOON, chain_of, make_market, quote_of, rows

NEAR = date(2025, 12, 5)
SPOTS = st.floats(5, 25_000)
YEARS = st.floats(pricing.FLOOR, 2)
VOLATILITIES = st.floats(0.08, 1.0)
MONEYNESS = st.floats(0.3, 3)
TICKS = st.sampled_from([quotes.option_ticks(root) for root in ("SPXW", "XSP", "AAPL", "KO")])
SPREADS = st.sampled_from([pricing.PENNY_SPREAD, pricing.NICKEL_SPREAD])


@given(SPOTS, MONEYNESS, YEARS, VOLATILITIES, SPREADS, TICKS)
def test_put_call_parity_holds_within_the_spreads(
    spot, moneyness, years, volatility, spread, ticks
):
    strike = spot * moneyness
    pair = pricing.value_pair(spot, strike, years, volatility)
    call_bid, call_ask = pricing.bid_and_ask(pair.call.price, spread, ticks)
    put_bid, put_ask = pricing.bid_and_ask(pair.put.price, spread, ticks)
    forward = 100 * (spot - strike * math.exp(-0.04 * years))

    assert call_bid - put_ask <= forward + 1e-3
    assert call_ask - put_bid >= forward - 1e-3


@given(SPOTS, MONEYNESS, st.floats(1.0001, 1.5), YEARS, VOLATILITIES)
def test_with_every_strike_calls_get_cheaper_and_puts_dearer(
    spot, moneyness, ratio, years, volatility
):
    low = pricing.value_pair(spot, spot * moneyness, years, volatility)
    high = pricing.value_pair(spot, spot * moneyness * ratio, years, volatility)

    assert low.call.price >= high.call.price - 1e-9 * spot
    assert low.put.price <= high.put.price + 1e-9 * spot


@given(SPOTS, MONEYNESS, YEARS, VOLATILITIES)
def test_calls_have_positive_deltas_and_puts_negative_ones(spot, moneyness, years, volatility):
    call, put = pricing.value_pair(spot, spot * moneyness, years, volatility)

    assert 0 <= call.delta <= 1
    assert -1 <= put.delta <= 0
    assert call.delta - put.delta == pytest.approx(1)


@given(st.floats(0, 5_000), st.floats(0, 50), SPREADS, TICKS)
def test_bids_and_asks_lie_around_the_value_and_rise_with_it(value, more, spread, ticks):
    bid, ask = pricing.bid_and_ask(value, spread, ticks)
    higher_bid, higher_ask = pricing.bid_and_ask(value + more, spread, ticks)

    assert 0 <= bid <= value * 100 + 1e-9 <= ask + 2e-9
    assert ask >= ticks.small
    assert (bid <= higher_bid, ask <= higher_ask) == (True, True)


@pytest.mark.parametrize("symbol", ["$SPX", "$XSP", "$VIX", "SPY", "AAPL", "KO"])
def test_every_quote_of_a_chain_is_on_its_own_tick(symbol):
    market = make_market()
    chain = chain_of(market, symbol, to_date=date(2025, 12, 19))

    for row in rows(chain):
        quote = quote_of(market, row["symbol"])
        for price in (quote.bid, quote.ask, quote.last):
            tick = tick_for(Strategy.SINGLE_OPTION, [row["symbol"]], price)
            assert on_tick(price, tick), (row["symbol"], price)
        assert quote.bid < quote.ask
        assert quote.mark * 2 == quote.bid + quote.ask


def test_the_quotes_of_a_real_expiration_are_in_the_order_of_their_strikes():
    market = make_market()
    chain = chain_of(market, "$SPX", from_date=NEAR, to_date=NEAR)

    for side, sign in (("callExpDateMap", -1), ("putExpDateMap", 1)):
        (by_strike,) = chain[side].values()
        for lower, higher in pairwise(row for (row,) in by_strike.values()):
            assert sign * (higher["bid"] - lower["bid"]) >= 0
            assert sign * (higher["ask"] - lower["ask"]) >= 0


def test_an_expiring_option_is_still_worth_its_last_minutes():
    market = make_market(at=WEDNESDAY_NOON.replace(hour=20))
    chain = chain_of(market, "$SPX", to_date=market.today, strike_count=2)

    assert all(row["ask"] > 0 and row["theoreticalOptionValue"] > 0 for row in rows(chain))


def test_a_quote_says_the_same_as_the_chain_and_the_quote_reply():
    market = make_market()
    for row in rows(chain_of(market, "AAPL", strike_count=6)):
        quote = quote_of(market, row["symbol"])
        reply = market.quotes_json([row["symbol"]])[row["symbol"]]["quote"]

        assert (row["bid"], row["ask"], row["mark"]) == (
            reply["bidPrice"],
            reply["askPrice"],
            reply["mark"],
        )
        assert (float(quote.bid), float(quote.ask), float(quote.mark)) == (
            row["bid"],
            row["ask"],
            row["mark"],
        )
        assert (quote.delta > 0) == (parse_option(row["symbol"]).put_call == "CALL")


def test_a_condor_sold_at_the_natural_price_receives_less_than_at_the_mid():
    market = make_market()
    day = "251205"
    legs = [
        (f"SPXW  {day}P06300000", False, 1),
        (f"SPXW  {day}P06295000", True, 1),
        (f"SPXW  {day}C06700000", False, 1),
        (f"SPXW  {day}C06705000", True, 1),
    ]
    opening = market.net(legs)
    closing = market.net([(symbol, not is_buy, ratio) for symbol, is_buy, ratio in legs])

    assert opening.natural < opening.mid
    assert 0 < opening.mid < 5
    assert closing.mid == -opening.mid
    assert closing.natural < closing.mid < 0


def test_ratios_multiply_what_a_leg_costs():
    market = make_market()
    quote = quote_of(market, "AAPL")

    assert market.net([("AAPL", True, 3)]).natural == -3 * quote.ask
    assert market.net([("AAPL", False, 3)]).natural == 3 * quote.bid


def test_a_leg_without_a_quote_has_no_net_price():
    with pytest.raises(KeyError, match="SPXW"):
        make_market().net([("SPXW  251205P06301000", True, 1)])
