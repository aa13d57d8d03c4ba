"""What is left of a set in an account, what of it is held, and how many units that makes."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.domain.bookmarks import (
    Filled,
    begun_units,
    entry_price,
    held_of,
    left_of,
    whole_units,
)

QUANTITIES = st.dictionaries(
    st.sampled_from(["LONG", "SHORT"]), st.integers(-9, 9).map(Decimal), max_size=2
)
RATIOS = {"LONG": 1, "SHORT": 1}


def units(long, short):
    return {"LONG": Decimal(long), "SHORT": Decimal(short)}


def test_what_exits_closed_and_what_went_otherwise_is_not_left():
    assert left_of(units(5, -5), units(-2, 2), {}) == units(3, -3)
    assert left_of(units(5, -5), {}, units(1, -4)) == units(4, -1)
    assert left_of(units(5, -5), units(-2, 2), units(3, -3)) == units(0, 0)


@given(bookmarked=QUANTITIES, closed=QUANTITIES, gone=QUANTITIES, held=QUANTITIES)
def test_nothing_is_ever_left_beyond_the_bookmark_or_held_beyond_what_is_left(
    bookmarked, closed, gone, held
):
    left = left_of(bookmarked, closed, gone)
    ours = held_of(left, held)

    for symbol, quantity in bookmarked.items():
        for part, bound in ((left[symbol], quantity), (ours[symbol], left[symbol])):
            assert abs(part) <= abs(bound)
            assert part * bound >= 0
        assert abs(ours[symbol]) <= abs(held.get(symbol, 0))


def test_a_position_in_the_other_direction_is_not_ours():
    assert held_of(units(5, -5), units(-5, 3)) == units(0, 0)
    assert held_of(units(5, -5), units(9, -2)) == units(5, -2)
    assert held_of(units(5, -5), {}) == units(0, 0)


def test_a_unit_is_whole_with_all_its_legs_and_begun_with_any_part_of_one():
    assert (whole_units(units(5, -3), RATIOS), begun_units(units(5, -3), RATIOS)) == (3, 5)
    assert (whole_units(units(5, 0), RATIOS), begun_units(units(5, 0), RATIOS)) == (0, 5)
    assert (whole_units({}, RATIOS), begun_units({}, RATIOS)) == (0, 0)
    assert whole_units(units(5, -5), {"LONG": 1, "SHORT": 2}) == 2
    assert begun_units(units(5, -5), {"LONG": 2, "SHORT": 2}) == 3


def test_the_entry_price_is_the_average_of_each_leg_whatever_was_filled_of_it():
    long = Filled(Decimal(4), Decimal(-4))
    short = Filled(Decimal(-2), Decimal("3.50"))

    assert entry_price({"LONG": long, "SHORT": short}, RATIOS) == Decimal("0.75")
    assert entry_price({"LONG": long, "SHORT": short}, {"LONG": 1, "SHORT": 2}) == Decimal("2.50")
    assert entry_price({"LONG": long}, RATIOS) is None
