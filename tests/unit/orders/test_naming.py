"""Few names are told, the others are counted."""

import pytest

from orders.domain.naming import few_of


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("", ""),
        ("a", "a"),
        ("ab", "a, b"),
        ("abc", "a, b and 1 more"),
        ("abcde", "a, b and 3 more"),
    ],
)
def test_the_first_names_are_told_and_the_others_counted(names, said):
    assert few_of(list(names), 2) == said
