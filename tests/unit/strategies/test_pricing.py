"""What a trade brings or costs: signs, and prices that are missing."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain.pricing import (
    exit_prices,
    expected_cash,
    limit_cash,
    mid_cash,
    natural_cash,
    reference_cash,
)
from strategies.domain.reversal import reverse
from strategies.domain.tickets import Instruction, OrderType
from tests.unit.strategies.tickets import (
    CONDOR,
    CREDIT,
    DEBIT,
    EVEN,
    MARKET,
    SHARES,
    SINGLE,
    VERTICAL,
    with_leg,
)

WING, BODY, CALL, OTHER_WING = (leg.symbol for leg in CONDOR.legs)
PRICES = {
    WING: (Decimal("1.00"), Decimal("1.20")),
    BODY: (Decimal("1.90"), Decimal("2.10")),
    CALL: (Decimal("1.40"), Decimal("1.60")),
    OTHER_WING: (Decimal("0.50"), Decimal("0.70")),
}


def test_the_natural_price_sells_the_bids_and_buys_the_asks():
    assert natural_cash(CONDOR.legs, PRICES) == Decimal("1.40")
    assert natural_cash(reverse(CONDOR).legs, PRICES) == Decimal("-2.20")
    assert mid_cash(CONDOR.legs, PRICES) == Decimal("1.80")
    assert mid_cash(reverse(CONDOR).legs, PRICES) == Decimal("-1.80")


@pytest.mark.parametrize("quote", [None, (None, Decimal(1)), (Decimal(1), None), (Decimal(1), 0)])
def test_a_leg_without_a_price_leaves_the_whole_trade_without_one(quote):
    prices = {symbol: pair for symbol, pair in PRICES.items() if symbol != BODY}
    if quote is not None:
        prices[BODY] = quote

    assert natural_cash(CONDOR.legs, prices) is None
    assert mid_cash(CONDOR.legs, prices) is None


def test_an_option_that_nobody_bids_for_brings_nothing():
    sale = with_leg(SINGLE, 0, instruction=Instruction.SELL_TO_OPEN)

    symbol = sale.legs[0].symbol
    assert natural_cash(sale.legs, {symbol: (Decimal(0), Decimal("0.05"))}) == 0


@pytest.mark.parametrize(
    ("ticket", "cash"),
    [
        (CONDOR, "1.80"),
        (reverse(CONDOR), "-1.80"),
        (VERTICAL, "1.25"),
        (SHARES, "-270.15"),
        (with_leg(SHARES, 0, instruction=Instruction.SELL), "270.15"),
        (with_leg(SINGLE, 0, instruction=Instruction.SELL_TO_CLOSE), "2.45"),
        (replace(CONDOR, price_effect=EVEN, limit=None), "0"),
        (replace(SHARES, order_type=MARKET, limit=None), None),
    ],
)
def test_a_limit_is_cash_that_comes_in_or_goes_out(ticket, cash):
    assert limit_cash(ticket) == (None if cash is None else Decimal(cash))


def test_without_a_limit_the_stop_or_else_the_market_says_what_a_trade_costs():
    market = replace(SHARES, order_type=MARKET, limit=None)
    stop = replace(market, order_type=OrderType.STOP, stop=Decimal(280))

    assert expected_cash(SHARES, Decimal(-300)) == Decimal("-270.15")
    assert expected_cash(stop, Decimal(-300)) == Decimal(-280)
    assert expected_cash(market, Decimal(-300)) == Decimal(-300)
    assert expected_cash(market, None) is None


def test_a_stop_limit_is_measured_by_its_stop():
    ticket = replace(SHARES, order_type=OrderType.STOP_LIMIT, stop=Decimal(280))

    assert reference_cash(ticket, Decimal(-270)) == Decimal(-280)
    assert reference_cash(SHARES, Decimal(-270)) == Decimal(-270)


def closing(ticket, prices=PRICES):
    found = exit_prices(reverse(ticket).legs, prices)
    return found.price_effect, found.natural, found.mid


def test_an_exit_is_priced_on_tick_towards_being_filled():
    # Five cents are the tick: 2.20 and 1.80 are on it, 2.21 and 1.805 are not.
    odd = PRICES | {BODY: (Decimal("1.90"), Decimal("2.11"))}

    assert closing(CONDOR) == (DEBIT, Decimal("2.20"), Decimal("1.80"))
    assert closing(CONDOR, odd) == (DEBIT, Decimal("2.25"), Decimal("1.85"))
    assert closing(reverse(CONDOR), odd) == (CREDIT, Decimal("1.40"), Decimal("1.80"))


def test_one_leg_is_closed_without_a_price_effect():
    symbol = SINGLE.legs[0].symbol
    quote = {symbol: (Decimal("3.04"), Decimal("3.15"))}

    assert closing(SINGLE, quote) == (None, Decimal("3.00"), Decimal("3.00"))
    sold = with_leg(SINGLE, 0, instruction=Instruction.SELL_TO_OPEN)
    assert closing(sold, quote) == (None, Decimal("3.20"), Decimal("3.10"))


def test_shares_are_closed_to_the_cent():
    quote = {"AAPL": (Decimal("231.485"), Decimal("231.50"))}

    assert closing(SHARES, quote) == (None, Decimal("231.48"), Decimal("231.49"))


def test_what_is_worth_nothing_is_sold_for_one_tick():
    worthless = {CALL: (Decimal(0), Decimal("0.02"))}
    bought = with_leg(SINGLE, 0, symbol=CALL)

    assert closing(bought, worthless) == (None, Decimal("0.05"), Decimal("0.05"))
    # What it buys asks for more than what it sells bids: nobody pays anything for the spread.
    lower, higher = (leg.symbol for leg in VERTICAL.legs)
    spread = {
        lower: (Decimal("0.05"), Decimal("0.10")),
        higher: (Decimal("0.05"), Decimal("0.20")),
    }
    assert closing(reverse(VERTICAL), spread) == (CREDIT, Decimal("0.05"), Decimal("0.05"))


def test_without_quotes_an_exit_has_no_price():
    assert closing(CONDOR, {}) == (DEBIT, None, None)


@given(bids=st.lists(st.integers(0, 900), min_size=4, max_size=4), spread=st.integers(0, 99))
def test_an_exit_is_always_on_tick_above_zero_and_at_least_as_good_to_fill_as_the_market(
    bids, spread
):
    prices = {
        leg.symbol: (Decimal(bid) / 100, Decimal(bid + spread + 1) / 100)
        for leg, bid in zip(CONDOR.legs, bids, strict=True)
    }

    for ticket in (CONDOR, reverse(CONDOR)):
        effect, natural, mid = closing(ticket, prices)
        cash = natural_cash(reverse(ticket).legs, prices)
        assert cash is not None
        for price in (natural, mid):
            assert price > 0
            assert price % Decimal("0.05") == 0
        if effect is DEBIT:
            assert natural >= -cash
            assert mid <= natural
        else:
            assert natural <= max(cash, Decimal("0.05"))
            assert mid >= natural
