"""The limits of the guards: defaults, and rows that make no sense."""

from decimal import Decimal

import pytest

from accounts.domain.limits import RULES, LimitName, limits_of, why_not


@pytest.mark.parametrize("name", LimitName)
def test_every_limit_has_a_default_that_makes_sense_and_says_what_it_is_about(name):
    assert why_not(name, RULES[name].default) == ""
    assert RULES[name].about.endswith(".")
    assert len(name) <= 40


def test_without_rows_the_defaults_hold():
    assert limits_of([]) == {name: rule.default for name, rule in RULES.items()}


def test_a_row_replaces_its_default_alone():
    limits = limits_of([("PRICE_AWAY_USD", Decimal("0.75")), ("SOMETHING_ELSE", Decimal(1))])

    assert limits[LimitName.PRICE_AWAY_USD] == Decimal("0.75")
    assert limits[LimitName.PRICE_AWAY_PERCENT] == 25
    assert set(limits) == set(LimitName)


@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "1000001", "NaN", "Infinity", "-Infinity", "sNaN"]
)
def test_a_row_that_makes_no_sense_counts_as_missing(value):
    limits = limits_of([("MAX_CONTRACTS_PER_BROADCAST", Decimal(value))])

    assert limits[LimitName.MAX_CONTRACTS_PER_BROADCAST] == 5000
    assert why_not(LimitName.MAX_CONTRACTS_PER_BROADCAST, Decimal(value))


def test_a_window_of_nothing_asks_for_no_confirmation_and_is_allowed():
    assert why_not(LimitName.DUPLICATE_WINDOW_S, Decimal(0)) == ""
    assert why_not(LimitName.PRICE_AWAY_USD, Decimal("0.05")) == ""
