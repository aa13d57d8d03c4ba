"""Price steps."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain.tickets import Strategy
from strategies.domain.ticks import on_tick, round_to_tick, tick_for

TICKS = st.sampled_from([Decimal(tick) for tick in ("0.0001", "0.01", "0.05", "0.10")])
PRICES = st.decimals("-1000", "100000", allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("strategy", "symbol", "price", "tick"),
    [
        (Strategy.EQUITY, "AAPL", "1", "0.01"),
        (Strategy.EQUITY, "AAPL", "0.9999", "0.0001"),
        (Strategy.SINGLE_OPTION, "XYZ   251205C00072000", "2.99", "0.05"),
        (Strategy.SINGLE_OPTION, "XYZ   251205C00072000", "3", "0.10"),
        (Strategy.SINGLE_OPTION, "SPXW  251205C07200000", "2.99", "0.05"),
        (Strategy.SINGLE_OPTION, "SPXW  251205C07200000", "3", "0.10"),
        (Strategy.SINGLE_OPTION, "AAPL  251205C00072000", "2.99", "0.01"),
        (Strategy.SINGLE_OPTION, "AAPL  251205C00072000", "3", "0.05"),
        (Strategy.SINGLE_OPTION, "SPY   251205C00680000", "2.99", "0.01"),
        (Strategy.SINGLE_OPTION, "SPY   251205C00680000", "3", "0.05"),
        (Strategy.SINGLE_OPTION, "XSP   251205C00680000", "7", "0.01"),
        (Strategy.VERTICAL, "SPXW  251205C07200000", "1", "0.05"),
        (Strategy.VERTICAL, "NDXP  251205C07200000", "9", "0.05"),
        (Strategy.IRON_CONDOR, "RUTW  251205C02200000", "1", "0.05"),
        (Strategy.IRON_CONDOR, "VIX   251205C00022000", "1", "0.05"),
        (Strategy.VERTICAL, "XSP   251205C00680000", "1", "0.01"),
        (Strategy.VERTICAL, "XYZ   251205C00072000", "1", "0.01"),
        (Strategy.IRON_CONDOR, "SPY   251205C00680000", "5", "0.01"),
    ],
)
def test_the_tick_follows_strategy_underlying_and_price(strategy, symbol, price, tick):
    assert tick_for(strategy, [symbol], Decimal(price)) == Decimal(tick)


@pytest.mark.parametrize(
    ("symbol", "penny", "tick"),
    [
        ("XYZ   251205C00072000", True, "0.01"),
        ("AAPL  251205C00072000", False, "0.05"),
    ],
)
def test_the_word_of_the_chain_on_the_penny_programme_wins(symbol, penny, tick):
    assert tick_for(Strategy.SINGLE_OPTION, [symbol], Decimal(1), penny=penny) == Decimal(tick)


@pytest.mark.parametrize(
    ("price", "tick", "expected"),
    [
        ("1.25", "0.05", True),
        ("1.250", "0.05", True),
        ("1.23", "0.05", False),
        ("1.005", "0.01", False),
        ("3.05", "0.10", False),
        ("0.1234", "0.0001", True),
        ("1.00000000000000000000000000000000000001", "0.01", False),
        ("NaN", "0.01", False),
        ("sNaN", "0.01", False),
        ("Infinity", "0.01", False),
        ("1E+999999", "0.01", False),
    ],
)
def test_a_price_is_on_the_tick_or_not(price, tick, expected):
    assert on_tick(Decimal(price), Decimal(tick)) is expected


@given(PRICES, TICKS, st.booleans())
def test_rounding_ends_on_the_tick_on_the_right_side_and_less_than_a_tick_away(price, tick, up):
    rounded = round_to_tick(price, tick, up=up)

    assert on_tick(rounded, tick)
    moved = Fraction(rounded) - Fraction(price)
    assert 0 <= (moved if up else -moved) < tick


@given(st.integers(0, 10**8), TICKS, st.booleans())
def test_a_price_on_the_tick_is_not_moved(steps, tick, up):
    assert on_tick(steps * tick, tick)
    assert round_to_tick(steps * tick, tick, up=up) == steps * tick


@pytest.mark.parametrize(
    ("price", "tick", "up", "expected"),
    [
        ("1.23", "0.05", False, "1.20"),
        ("1.23", "0.05", True, "1.25"),
        ("3.01", "0.10", True, "3.10"),
        ("7", "0.05", False, "7.00"),
        ("-1.23", "0.05", False, "-1.25"),
    ],
)
def test_rounded_prices_are_written_with_the_decimals_of_the_tick(price, tick, up, expected):
    assert str(round_to_tick(Decimal(price), Decimal(tick), up=up)) == expected


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity"])
def test_what_is_no_number_cannot_be_rounded(price):
    with pytest.raises(ValueError, match="is not a price"):
        round_to_tick(Decimal(price), Decimal("0.01"), up=True)
