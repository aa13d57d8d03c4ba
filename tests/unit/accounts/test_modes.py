"""Of all modes that cover an account and an underlying the strictest is in force."""

from itertools import permutations

import pytest

from accounts.domain.modes import ModeRule, strictest
from accounts.domain.words import Mode, ModeScope


def in_force(*rules: ModeRule) -> ModeRule | None:
    return strictest(rules, account_id="a1", groups={"family"}, underlying="SPX")


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        (ModeScope.FLEET, ""),
        (ModeScope.GROUP, "family"),
        (ModeScope.ACCOUNT, "a1"),
        (ModeScope.UNDERLYING, "SPX"),
    ],
)
def test_a_rule_covers_its_target(scope, target):
    rule = ModeRule(scope, target, Mode.FROZEN)

    assert in_force(rule) is rule


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        (ModeScope.GROUP, "friends"),
        (ModeScope.GROUP, ""),
        (ModeScope.ACCOUNT, "a2"),
        (ModeScope.UNDERLYING, "SPXW"),
    ],
)
def test_a_rule_covers_nothing_else(scope, target):
    assert in_force(ModeRule(scope, target, Mode.FROZEN)) is None


def test_the_strictest_rule_wins_in_whatever_order_they_come():
    rules = [
        ModeRule(ModeScope.FLEET, "", Mode.OPEN),
        ModeRule(ModeScope.GROUP, "family", Mode.CLOSE_ONLY),
        ModeRule(ModeScope.ACCOUNT, "a1", Mode.FROZEN),
    ]

    for order in permutations(rules):
        assert in_force(*order) is rules[2]


def test_open_is_no_rule():
    assert in_force(ModeRule(ModeScope.FLEET, "", Mode.OPEN)) is None


def test_the_words_say_what_is_in_force_and_why():
    assert ModeRule(ModeScope.FLEET, "", Mode.FROZEN, "news").words == "The fleet is frozen: news."
    assert ModeRule(ModeScope.ACCOUNT, "a1", Mode.CLOSE_ONLY).words == "The account is close only."
