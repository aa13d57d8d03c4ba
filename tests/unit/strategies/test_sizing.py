"""Contracts of one account."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain.sizing import size


@pytest.mark.parametrize(
    ("contracts", "multiplier", "expected"),
    [
        (10, "1", 10),
        (10, "0.5", 5),
        (5, "0.5", 2),
        (1, "0.99", 0),
        (3, "1.5", 4),
        (10, "0", 0),
        (0, "2", 0),
        (3, "0.33333333333333333333333333333333333333", 0),
        (100_000, "0.99999999999999999999999999999999999", 99_999),
    ],
)
def test_contracts_are_scaled_and_rounded_down(contracts, multiplier, expected):
    assert size(contracts, Decimal(multiplier)) == expected


@given(st.integers(0, 100_000), st.decimals(0, 1000, places=4))
def test_the_size_is_the_largest_whole_number_not_above_the_product(contracts, multiplier):
    exact = contracts * Fraction(multiplier)

    assert size(contracts, multiplier) <= exact < size(contracts, multiplier) + 1


@pytest.mark.parametrize(
    ("contracts", "multiplier"),
    [(-1, "1"), (1, "-0.1"), (1, "NaN"), (1, "sNaN"), (1, "Infinity")],
)
def test_what_is_negative_or_no_number_is_refused(contracts, multiplier):
    with pytest.raises(ValueError, match=r"negative|finite"):
        size(contracts, Decimal(multiplier))
