"""Strikes that are picked from a chain: by delta, by width, beside each other."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerage.schwab.replies import ChainRow
from orders.domain.shapes import Shape
from orders.selectors.picking import (
    Picking,
    around,
    body_and_wing,
    mirror,
    move_body,
    pick_strikes,
    widen,
    width_of,
)
from strategies.domain.catalog import VerticalKind
from strategies.domain.symbols import PutCall
from strategies.domain.tickets import Instruction, Strategy

CONDOR = Shape(
    strategy=Strategy.IRON_CONDOR,
    underlying="XYZ",
    kind=VerticalKind.BULL_PUT,
    side=PutCall.PUT,
    instruction=Instruction.BUY_TO_OPEN,
)
BULL_PUT = replace(CONDOR, strategy=Strategy.VERTICAL)
BEAR_CALL = replace(BULL_PUT, kind=VerticalKind.BEAR_CALL)
CALL = replace(CONDOR, strategy=Strategy.SINGLE_OPTION, side=PutCall.CALL)


def row(side, strike, delta):
    return ChainRow(
        symbol=f"{side} {strike}",
        root="XYZ",
        expiration=date(2030, 1, 18),
        strike=Decimal(strike),
        put_call=side,
        bid=None,
        ask=None,
        mark=None,
        delta=delta,
        iv=None,
        open_interest=0,
        settlement="P",
        multiplier=Decimal(100),
        penny_pilot=False,
        non_standard=False,
    )


# From 50 to 150 in steps of 5; the delta of a call falls from 0.99 in a straight line.
STRIKES = range(50, 151, 5)
PLACES = {
    (side, Decimal(strike)): row(side, strike, delta)
    for strike in STRIKES
    for side, delta in (
        ("CALL", Decimal(150 - strike) / 100),
        ("PUT", -Decimal(strike - 50) / 100),
    )
}


def decimals(*numbers):
    return tuple(map(Decimal, numbers))


def test_bodies_are_picked_by_delta_and_wings_by_width():
    picked = pick_strikes(CONDOR, PLACES, Picking(delta=Decimal("0.30"), width=Decimal(10)))

    assert picked == decimals(70, 80, 120, 130)


@pytest.mark.parametrize(
    ("shape", "picked"), [(BULL_PUT, (70, 80)), (BEAR_CALL, (120, 130)), (CALL, (120,))]
)
def test_other_trades_are_picked_alike(shape, picked):
    picking = Picking(delta=Decimal("0.30"), width=Decimal(10))

    assert pick_strikes(shape, PLACES, picking) == decimals(*picked)


def test_without_deltas_nothing_is_picked():
    blank = {place: replace(one, delta=None) for place, one in PLACES.items()}

    assert pick_strikes(CONDOR, blank, Picking()) == ()


def test_the_body_is_the_strike_nearer_to_the_market():
    assert body_and_wing(CONDOR, PutCall.PUT) == (1, 0)
    assert body_and_wing(CONDOR, PutCall.CALL) == (2, 3)
    assert body_and_wing(CALL, PutCall.CALL) == (0, None)


def test_a_width_that_is_not_listed_becomes_the_nearest_one():
    assert widen(CONDOR, PLACES, decimals(70, 80, 120, 130), Decimal(13)) == decimals(
        65, 80, 120, 135
    )


def test_at_the_end_of_the_chain_the_wing_is_its_last_strike():
    assert widen(CONDOR, PLACES, decimals(70, 80, 120, 130), Decimal(500)) == decimals(
        50, 80, 120, 150
    )


def test_a_body_that_moves_takes_its_wing_along():
    moved = move_body(CONDOR, PLACES, decimals(70, 80, 120, 130), PutCall.CALL, Decimal(115))

    assert moved == decimals(70, 80, 115, 125)


@pytest.mark.parametrize(
    ("typed", "mirrored"),
    [
        ((60, 80, 120, 130), (60, 80, 120, 140)),
        ((70, 75, 120, 130), (70, 75, 120, 125)),
        ((70, 80, 120, 145), (55, 80, 120, 145)),
        ((60, 80, 120, 145), (60, 80, 120, 145)),
        ((85, 80, 120, 130), (85, 80, 120, 130)),
    ],
)
def test_the_side_that_was_not_touched_gets_the_other_ones_width(typed, mirrored):
    before = decimals(70, 80, 120, 130)

    assert mirror(CONDOR, PLACES, before, decimals(*typed)) == decimals(*mirrored)


def test_only_condors_are_mirrored():
    assert mirror(BULL_PUT, PLACES, decimals(70, 80), decimals(60, 80)) == decimals(60, 80)


@pytest.mark.parametrize(
    ("shape", "strikes", "width"),
    [
        (CONDOR, (70, 80, 120, 130), 10),
        (CONDOR, (70, 80, 120, 135), None),
        (BULL_PUT, (70, 80), 10),
        (CALL, (70,), None),
        (CONDOR, (), None),
    ],
)
def test_the_width_is_told_where_there_is_one(shape, strikes, width):
    assert width_of(shape, decimals(*strikes)) == width


@given(st.sampled_from([CONDOR, BULL_PUT, BEAR_CALL]), st.integers(1, 99), st.integers(1, 200))
def test_what_is_picked_is_listed_and_in_order(shape, delta, width):
    picked = pick_strikes(shape, PLACES, Picking(delta=Decimal(delta) / 100, width=Decimal(width)))

    assert all((side, strike) in PLACES for side, strike in zip(shape.sides, picked, strict=True))
    assert list(picked[:2]) == sorted(picked[:2])


@given(st.lists(st.sampled_from(STRIKES), max_size=2, unique=True), st.integers(1, 30))
def test_the_rows_around_strikes_hold_them_if_there_is_room(chosen, most):
    rows = [PLACES["PUT", Decimal(strike)] for strike in STRIKES]
    strikes = sorted(map(Decimal, chosen))

    shown = around(rows, strikes, most=most)

    assert len(shown) == min(most, len(rows))
    if strikes and strikes[-1] - strikes[0] < 5 * (most // 2):
        assert set(strikes) <= {one.strike for one in shown}
