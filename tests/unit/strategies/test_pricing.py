"""What a trade brings or costs: signs, and prices that are missing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from strategies.domain.pricing import (
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
