from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from orders.domain.allocation import Candidate, allocate, blocks
from orders.domain.lifecycle import Purpose, Reason

ACCOUNT = UUID(int=1)


def candidate(**more):
    usual = Candidate(
        account_id=ACCOUNT, alias="Alder", is_active=True, multiplier=Decimal(1), login_words=""
    )
    return replace(usual, **more)


def share_of(one, *, contracts=3, purpose=Purpose.OPEN, rules=()):
    (share,) = allocate(
        [one], contracts=contracts, purpose=purpose, underlying="SPX", rules=list(rules)
    )
    return share


def fleet(mode, why=""):
    return ModeRule(ModeScope.FLEET, "", mode, why)


@pytest.mark.parametrize(
    ("multiplier", "contracts"), [("1", 3), ("2", 6), ("0.5", 1), ("0.34", 1), ("1.99", 5)]
)
def test_an_account_gets_the_contracts_times_its_multiplier_rounded_down(multiplier, contracts):
    share = share_of(candidate(multiplier=Decimal(multiplier)))

    assert (share.contracts, share.reason_code, share.reason) == (contracts, None, "")


def test_an_account_for_which_no_contract_is_left_is_left_out_and_told_why():
    share = share_of(candidate(multiplier=Decimal("0.33")))

    assert (share.contracts, share.reason_code) == (0, Reason.SIZED_TO_ZERO)
    assert share.reason == "The multiplier 0.33 leaves no contract."


def test_a_switched_off_account_is_left_out_before_anything_else_counts():
    share = share_of(
        candidate(is_active=False, login_words="Connect it."), rules=[fleet(Mode.FROZEN)]
    )

    assert (share.reason_code, share.reason) == (Reason.INACTIVE, "The account is switched off.")


def test_an_account_whose_login_cannot_send_is_left_out_with_the_logins_words():
    share = share_of(candidate(login_words="The login L must be connected again."))

    assert share.reason_code == Reason.LOGIN_REQUIRED
    assert share.reason == "The login L must be connected again."


@pytest.mark.parametrize(
    ("mode", "purpose", "code"),
    [
        (Mode.CLOSE_ONLY, Purpose.OPEN, Reason.CLOSE_ONLY),
        (Mode.CLOSE_ONLY, Purpose.CLOSE, None),
        (Mode.FROZEN, Purpose.OPEN, Reason.FROZEN),
        (Mode.FROZEN, Purpose.CLOSE, Reason.FROZEN),
        (Mode.OPEN, Purpose.OPEN, None),
    ],
)
def test_closing_passes_close_only_and_nothing_passes_frozen(mode, purpose, code):
    assert share_of(candidate(), purpose=purpose, rules=[fleet(mode)]).reason_code == code
    assert blocks(mode, purpose) == (code is not None)


@pytest.mark.parametrize(
    ("scope", "target", "concerns"),
    [
        (ModeScope.FLEET, "", True),
        (ModeScope.ACCOUNT, str(ACCOUNT), True),
        (ModeScope.ACCOUNT, str(UUID(int=2)), False),
        (ModeScope.GROUP, "family", True),
        (ModeScope.GROUP, "others", False),
        (ModeScope.UNDERLYING, "SPX", True),
        (ModeScope.UNDERLYING, "AAPL", False),
    ],
)
def test_a_mode_holds_for_what_it_was_set_on(scope, target, concerns):
    one = candidate(groups=frozenset({"family", "large"}))

    share = share_of(one, rules=[ModeRule(scope, target, Mode.FROZEN)])

    assert (share.reason_code == Reason.FROZEN) == concerns


def test_the_strictest_mode_wins_and_its_words_are_given():
    rules = [
        fleet(Mode.CLOSE_ONLY, "lunch"),
        ModeRule(ModeScope.GROUP, "family", Mode.FROZEN, "audit"),
        ModeRule(ModeScope.ACCOUNT, str(ACCOUNT), Mode.OPEN),
    ]

    share = share_of(candidate(groups=frozenset({"family"})), purpose=Purpose.CLOSE, rules=rules)

    assert (share.reason_code, share.reason) == (Reason.FROZEN, "The group is frozen: audit.")


modes = st.sampled_from(Mode)


@given(st.lists(modes), modes, st.sampled_from(Purpose))
def test_one_more_mode_never_lets_more_through(earlier, more, purpose):
    rules = [fleet(mode) for mode in earlier]

    before = share_of(candidate(), purpose=purpose, rules=rules)
    after = share_of(candidate(), purpose=purpose, rules=[*rules, fleet(more)])

    assert before.reason_code is None or after.reason_code is not None


@given(
    st.lists(st.decimals(0, 100, places=2), min_size=1, max_size=20),
    st.integers(min_value=1, max_value=5000),
)
def test_every_account_is_named_in_its_order_and_left_out_only_with_a_sentence(sizes, contracts):
    candidates = [candidate(account_id=uuid4(), multiplier=size) for size in sizes]

    shares = allocate(
        candidates, contracts=contracts, purpose=Purpose.OPEN, underlying="SPX", rules=[]
    )

    assert [share.account_id for share in shares] == [one.account_id for one in candidates]
    for share, size in zip(shares, sizes, strict=True):
        assert share.contracts <= contracts * size < share.contracts + 1
        assert (share.contracts == 0) == (share.reason_code is not None) == bool(share.reason)
