"""When a login is renewed: on a weekend or off hours, spread out, a day before the end at least."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.renewals import (
    AGAIN_AFTER,
    LATEST,
    is_trading_time,
    next_attempt,
    renewal_time,
)
from strategies.domain.new_york import EASTERN

START = datetime(2026, 1, 1, tzinfo=UTC)
ends = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
spreads = st.floats(0, 1)


@given(ends, spreads)
def test_a_renewal_leaves_a_day_and_keeps_out_of_trading_hours(end, spread):
    at = renewal_time(end, spread=spread)
    assert end - at > LATEST
    assert not is_trading_time(at)


@given(ends, spreads)
def test_a_weekend_in_the_window_is_taken(end, spread):
    at = renewal_time(end, spread=spread)
    hours = [end - timedelta(hours=hour) for hour in range(25, 84)]
    has_weekend = any(one.astimezone(EASTERN).weekday() >= 5 for one in hours)
    if has_weekend:
        assert at.astimezone(EASTERN).weekday() >= 5


def test_logins_that_end_together_are_not_renewed_together():
    end = datetime(2026, 11, 27, 14, 52, tzinfo=UTC)
    times = {renewal_time(end, spread=place / 45) for place in range(45)}
    assert len(times) > 20


NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@given(st.lists(st.integers(0, 60 * 48).map(lambda m: NOW - timedelta(minutes=m)), max_size=6))
def test_an_attempt_is_six_hours_after_the_last_and_the_third_of_a_day_never(began):
    at = next_attempt(began, now=NOW)
    recent = [one for one in began if one > NOW - timedelta(days=1)]
    assert at >= NOW
    if recent:
        assert at >= max(recent) + AGAIN_AFTER
    assert sum(one > at - timedelta(days=1) for one in recent) < 2


def test_who_never_tried_may_try():
    assert next_attempt([], now=NOW) == NOW
