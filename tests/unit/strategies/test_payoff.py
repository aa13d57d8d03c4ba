"""What a trade is worth at expiration: known curves, and what holds for every curve."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain.catalog import VerticalKind, iron_condor, single_option, vertical
from strategies.domain.payoff import Payoff, payoff, probability_of_profit
from strategies.domain.reversal import reverse_legs
from strategies.domain.symbols import PutCall, format_option
from strategies.domain.tickets import Instruction, Leg

DAY = date(2030, 1, 18)
prices = st.integers(0, 400_00).map(lambda cents: Decimal(cents) / 100)


def option(side, strike, instruction):
    symbol = format_option(root="XYZ", expiration=DAY, put_call=side, strike=Decimal(strike))
    return single_option(symbol, instruction).legs


def condor(*strikes, short=True):
    names = ("put_wing", "put_body", "call_body", "call_wing")
    corners = dict(zip(names, map(Decimal, strikes), strict=True))
    return iron_condor(root="XYZ", expiration=DAY, **corners, short=short).legs


def spread(kind, lower, upper):
    return vertical(
        VerticalKind(kind), root="XYZ", expiration=DAY, lower=Decimal(lower), upper=Decimal(upper)
    ).legs


@st.composite
def trades(draw):
    """Legs of any trade in the catalog, and what one unit brings."""
    cash = Decimal(draw(st.integers(-2000, 2000))) / 100
    strikes = sorted(draw(st.lists(st.integers(1, 300), min_size=4, max_size=4, unique=True)))
    kind = draw(st.sampled_from([*VerticalKind, "CONDOR", "LONG CONDOR", "OPTION", "SHARES"]))
    if kind in list(VerticalKind):
        return spread(kind, *strikes[:2]), cash
    if kind in {"CONDOR", "LONG CONDOR"}:
        return condor(*strikes, short=kind == "CONDOR"), cash
    if kind == "SHARES":
        words = [word for word in Instruction if not word.is_for_options]
        return (Leg("XYZ", draw(st.sampled_from(words))),), cash
    words = [word for word in Instruction if word.is_for_options]
    return option(draw(st.sampled_from(PutCall)), strikes[0], draw(st.sampled_from(words))), cash


def test_a_short_condor_keeps_its_credit_between_two_break_evens():
    found = payoff(condor(90, 95, 105, 110), Decimal("1.50"))

    assert (found.max_gain, found.max_loss) == (150, -350)
    assert found.break_evens == (Decimal("93.50"), Decimal("106.50"))
    assert found.strikes == (90, 95, 105, 110)
    assert found.gains() == [(Decimal("93.50"), Decimal("106.50"))]


def test_the_wider_side_of_a_condor_decides_the_loss():
    assert payoff(condor(80, 95, 105, 110), Decimal("1.50")).max_loss == -1350


def test_a_bull_call_gains_the_width_less_its_debit_in_every_contract():
    found = payoff(spread("BULL_CALL", 6900, 6910), Decimal("-2.35"), contracts=2)

    assert (found.max_gain, found.max_loss) == (1530, -470)
    assert found.break_evens == (Decimal("6902.35"),)


@pytest.mark.parametrize(
    ("side", "instruction", "cash", "most", "least"),
    [
        ("CALL", "BUY_TO_OPEN", "-2", None, -200),
        ("CALL", "SELL_TO_OPEN", "2", 200, None),
        ("PUT", "BUY_TO_OPEN", "-2", 9800, -200),
        ("PUT", "SELL_TO_OPEN", "2", 200, -9800),
    ],
)
def test_a_single_option_is_bounded_where_it_is(side, instruction, cash, most, least):
    found = payoff(option(PutCall(side), 100, Instruction(instruction)), Decimal(cash))

    assert (found.max_gain, found.max_loss) == (most, least)
    assert found.break_evens == (Decimal(102 if side == "CALL" else 98),)


def test_shares_gain_a_dollar_a_share_and_lose_what_they_cost():
    found = payoff((Leg("XYZ", Instruction.BUY),), Decimal(-50), contracts=10)

    assert (found.max_gain, found.max_loss, found.break_evens) == (None, -500, (50,))
    assert found.at(Decimal(60)) == 100


@given(trades())
def test_break_evens_are_zeros(trade):
    found = payoff(*trade)

    assert all(abs(found.at(price)) < Decimal("1e-9") for price in found.break_evens)
    assert list(found.break_evens) == sorted(set(found.break_evens))


@given(trades(), prices)
def test_the_ends_bound_the_curve(trade, price):
    found = payoff(*trade)

    assert found.max_gain is None or found.at(price) <= found.max_gain
    assert found.max_loss is None or found.at(price) >= found.max_loss


@given(trades(), prices)
def test_the_other_side_of_the_trade_gains_what_this_one_loses(trade, price):
    legs, cash = trade

    ours, theirs = payoff(legs, cash), payoff(reverse_legs(legs), -cash)

    assert ours.at(price) == -theirs.at(price)
    assert ours.break_evens == theirs.break_evens
    assert (ours.max_gain is None) == (theirs.max_loss is None)


@given(trades(), st.integers(1, 500), prices)
def test_contracts_multiply_the_gain_and_move_no_break_even(trade, contracts, price):
    one, many = payoff(*trade), payoff(*trade, contracts=contracts)

    assert many.at(price) == contracts * one.at(price)
    assert many.break_evens == one.break_evens


@given(trades(), prices, prices)
def test_the_sign_changes_only_at_break_evens(trade, one, other):
    found = payoff(*trade)
    low, high = sorted((one, other))

    if found.at(low) * found.at(high) < 0:
        assert any(low <= price <= high for price in found.break_evens)


@given(trades(), prices, prices)
def test_a_drawn_curve_runs_from_end_to_end_through_every_bend(trade, one, other):
    found = payoff(*trade)
    low, high = sorted((one, other))

    curve = found.curve(low, high)

    drawn = [price for price, _ in curve]
    assert (drawn[0], drawn[-1]) == (low, high)
    assert drawn == sorted(set(drawn))
    assert {strike for strike in found.strikes if low < strike < high} <= set(drawn)


def flat_smile(percent):
    return {Decimal(strike): Decimal(percent) for strike in range(50, 151, 5)}


def chance(found: Payoff, *, price="100", iv=20, days=30):
    return probability_of_profit(found, price=Decimal(price), smile=flat_smile(iv), days=days)


def test_a_trade_and_its_reverse_gain_with_probabilities_that_add_to_one():
    legs, cash = condor(90, 95, 105, 110), Decimal("1.50")

    ours, theirs = chance(payoff(legs, cash)), chance(payoff(reverse_legs(legs), -cash))

    assert ours + theirs == pytest.approx(Decimal(1), abs=Decimal("0.002"))


def test_the_probability_is_that_of_a_lognormal_end():
    # One standard deviation to either side, less the drift of half the variance.
    sold_far_out = payoff(condor(89, 94, 106, 111), Decimal("0.10"))

    assert chance(sold_far_out, iv=20, days=30) == pytest.approx(
        Decimal("0.71"), abs=Decimal("0.02")
    )


def test_what_gains_at_any_price_is_certain_and_what_never_gains_hopeless():
    legs = condor(90, 95, 105, 110)

    assert chance(payoff(legs, Decimal(6))) == 1
    assert chance(payoff(legs, Decimal(-1))) == 0


@given(trades(), st.integers(1, 300), st.integers(5, 200), st.integers(0, 700))
def test_a_probability_lies_between_zero_and_one(trade, price, iv, days):
    found = chance(payoff(*trade), price=price, iv=iv, days=days)

    assert found is None or 0 <= found <= 1


@pytest.mark.parametrize(
    ("price", "smile"), [(None, {Decimal(100): Decimal(20)}), (Decimal(100), {})]
)
def test_without_a_price_or_volatilities_the_probability_is_not_known(price, smile):
    found = payoff(condor(90, 95, 105, 110), Decimal(1))

    assert probability_of_profit(found, price=price, smile=smile, days=7) is None


def test_shares_have_no_day_on_which_they_gain():
    shares = payoff((Leg("XYZ", Instruction.BUY),), Decimal(-50))

    assert probability_of_profit(shares, price=Decimal(50), smile=flat_smile(20), days=7) is None


def test_a_price_below_zero_is_refused():
    with pytest.raises(ValueError, match="ends at -1"):
        payoff(condor(90, 95, 105, 110), Decimal(1)).at(Decimal(-1))
