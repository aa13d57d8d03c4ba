"""The arithmetic of charts: scales, ticks, short numbers, labels that do not overlap."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.plots import Scale, nice_ticks, place, points, short, signed, spread

numbers = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)


def test_a_scale_puts_its_ends_at_the_ends_and_can_be_upside_down():
    scale = Scale(0, 10, 100, 0)

    assert (scale(0), scale(10), scale(Decimal(5))) == (100, 0, 50)
    assert scale(11) == pytest.approx(-10)
    assert scale.clamp(11) == 0


def test_a_scale_without_room_puts_everything_in_the_middle():
    assert Scale.over([7, 7], start=0, end=90)(7) == 45


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 100, [0, 50, 100]),
        (0, 200, [0, 50, 100, 150, 200]),
        (-0.3, 0.3, ["-0.2", "0.0", "0.2"]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round(low, high, ticks):
    assert nice_ticks(low, high) == [Decimal(tick) for tick in ticks]


@given(numbers, numbers, st.integers(2, 9))
def test_ticks_lie_between_the_ends_and_are_no_more_than_asked(one, other, most):
    low, high = sorted((one, other))

    ticks = nice_ticks(low, high, most=most)

    assert len(ticks) <= max(most, 1)
    slack = (high - low) * 1e-6 + 1e-9
    assert all(low - slack <= float(tick) <= high + slack for tick in ticks)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (Decimal(765), "765"),
        (-235, "−235"),
        (0.5, "0.50"),
        (9_999, "10k"),
        (12_340, "12.3k"),
        (-2_300_000, "−2.3M"),
        (999_600, "1M"),
        (1_284_310_000, "1.3B"),
    ],
)
def test_amounts_are_written_short(value, words):
    assert short(value) == words


def test_a_signed_amount_has_its_sign_unless_it_is_zero():
    assert (signed(765), signed(-235), signed(0)) == ("+765", "−235", "0")


def test_places_are_written_without_needless_characters():
    assert (place(3.0), place(3.14), place(-0.01)) == ("3", "3.1", "0")
    assert points([(0, 1.25), (2, 3)]) == "0,1.2 2,3"


@given(st.lists(st.floats(0, 300), max_size=8), st.floats(1, 40))
def test_labels_of_one_row_are_never_closer_than_the_gap(places, gap):
    rising = sorted(places)

    rows = spread(rising, gap=gap)

    for row in set(rows):
        mine = [at for at, its in zip(rising, rows, strict=True) if its == row]
        assert all(b - a >= gap for a, b in itertools.pairwise(mine))
