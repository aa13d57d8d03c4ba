"""How the request budget divides a key's minute, whatever is asked and whenever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokerage.budget.bucket import Bucket
from brokerage.budget.lanes import MAY_SPEND_RESERVE, Lane, Terms

TERMS = Terms(limit=120, reserve=20)
ASKED = st.lists(
    st.tuples(
        st.floats(0, 20),
        st.sampled_from([lane for lane in Lane if lane is not Lane.TOKENS]),
        st.integers(0, 90),
    ),
    max_size=60,
)


@given(ASKED)
@settings(max_examples=300)
def test_no_sixty_seconds_see_more_than_the_limit_nor_the_polls_its_reserve(asked):
    bucket, now = Bucket(), 1_000_000.0
    spent: list[tuple[float, Lane, int]] = []
    for pause, lane, wanted in asked:
        now += pause
        granted = bucket.take(lane, wanted, now=now, terms=TERMS)
        assert 0 <= granted <= wanted
        spent.append((now, lane, granted))
        recent = [one for one in spent if one[0] > now - 60]
        assert sum(calls for _, _, calls in recent) <= TERMS.limit
        if lane not in MAY_SPEND_RESERVE and granted:
            assert sum(calls for _, _, calls in recent) <= TERMS.shared


def test_the_reserve_is_there_when_everything_else_is_spent():
    bucket = Bucket()
    for _ in range(200):
        bucket.take(Lane.CHANGES, 1, now=10.0, terms=TERMS)

    assert bucket.used() == 100
    assert bucket.take(Lane.POLLS, 5, now=11.0, terms=TERMS) == 0
    assert bucket.take(Lane.EXITS, 50, now=11.0, terms=TERMS) == 20
    assert bucket.take(Lane.UNKNOWN, 1, now=11.0, terms=TERMS) == 0


def test_a_token_comes_back_a_minute_after_it_was_spent():
    bucket = Bucket()
    assert bucket.take(Lane.EXITS, 200, now=0.0, terms=TERMS) == 120
    assert bucket.take(Lane.EXITS, 1, now=59.9, terms=TERMS) == 0
    assert bucket.take(Lane.EXITS, 1, now=62.1, terms=TERMS) == 1


def test_tokens_are_counted_and_never_refused():
    bucket = Bucket()
    bucket.take(Lane.EXITS, 120, now=0.0, terms=TERMS)

    assert bucket.take(Lane.TOKENS, 2, now=1.0, terms=TERMS) == 2
    assert bucket.used() == 122


def test_polls_of_many_logins_are_spread_over_the_minute():
    bucket = Bucket()
    granted = [bucket.take(Lane.POLLS, 45, now=beat * 5.0, terms=TERMS) for beat in range(36)]

    assert max(granted[1:]) - min(granted[1:]) <= 2
    assert sum(granted[-12:]) >= 80  # in a minute; the rest is for quotes, exits and reads of doubt


def test_balances_get_their_share_beside_polls_that_want_everything():
    bucket = Bucket()
    polls = balances = 0
    for second in range(0, 300, 5):
        polls += bucket.take(Lane.POLLS, 45, now=float(second), terms=TERMS)
        if second % 15 == 0:
            balances += bucket.take(Lane.BALANCES, 45, now=float(second), terms=TERMS)

    assert balances >= 90
    assert polls >= 260


def test_quotes_leave_something_for_polls_that_begin():
    bucket = Bucket()
    assert sum(bucket.take(Lane.QUOTES, 1, now=0.0, terms=TERMS) for _ in range(200)) == 50
    assert bucket.take(Lane.POLLS, 5, now=1.0, terms=TERMS) == 5


@pytest.mark.parametrize(
    ("met", "stopped"),
    [
        (Lane.QUOTES, {Lane.QUOTES}),
        (Lane.BALANCES, {Lane.BALANCES, Lane.QUOTES}),
        (Lane.POLLS, {Lane.POLLS, Lane.BALANCES, Lane.QUOTES}),
        (Lane.EXITS, {Lane.CHANGES, Lane.POLLS, Lane.BALANCES, Lane.QUOTES}),
    ],
)
def test_a_429_stops_the_lane_that_met_it_and_those_below(met, stopped):
    bucket = Bucket()
    bucket.stop(met, 30.0, now=0.0)

    lanes = [lane for lane in Lane if lane is not Lane.TOKENS]
    none = {lane for lane in lanes if not bucket.take(lane, 1, now=1.0, terms=TERMS)}

    assert none == stopped


def test_an_exit_that_met_a_429_goes_on_and_everything_below_it_waits():
    bucket = Bucket()
    bucket.stop(Lane.EXITS, 60.0, now=0.0)

    assert bucket.take(Lane.EXITS, 1, now=0.1, terms=TERMS) == 1
    assert bucket.take(Lane.POLLS, 1, now=59.0, terms=TERMS) == 0
    assert bucket.take(Lane.POLLS, 1, now=60.1, terms=TERMS) == 1


def test_one_of_four_processes_leaves_the_polls_a_quarter_and_exits_everything():
    alone = Terms(120, 20, parts=4)
    bucket = Bucket()

    assert bucket.take(Lane.CHANGES, 100, now=0.0, terms=alone) == 25
    assert bucket.take(Lane.EXITS, 200, now=0.0, terms=alone) == 95
