"""Gains, ages, tokens and plots as the accounts page writes them."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.histories import start_of
from accounts.domain.words import Grain
from orders.selectors.account_grid import GridQuery
from orders.selectors.worth import span_of, thinned
from orders.templatetags.accounts import gain, sparkline, worth_plot

MOMENT = datetime(2026, 11, 28, 17, 44, 31, 5, tzinfo=UTC)


def history(*values, step=timedelta(hours=1)):
    return [(MOMENT + place * step, Decimal(value)) for place, value in enumerate(values)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("132.55"), '<span class="pos">▲ +132.55</span>'),
        (Decimal("-1084.1"), '<span class="neg">▼ −1,084.10</span>'),
        (Decimal(0), "0.00"),
        (None, "—"),
    ],
)
def test_a_gain_has_arrow_sign_and_colour(value, shown):
    assert gain(value) == shown


@pytest.mark.parametrize("values", [(), (5,)])
def test_less_than_two_points_make_no_line(values):
    assert sparkline(history(*values)) == ""
    assert "no history" in worth_plot(history(*values))


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=2, max_size=40))
def test_every_point_lies_in_the_drawing(values):
    for drawn, width, height in ((sparkline, 120, 24), (worth_plot, 760, 150)):
        svg = drawn(history(*values))
        places = re.findall(r'points="([^"]+)"', svg)[0].split()
        assert len(places) == len(values)
        for x, y in (place.split(",") for place in places):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


def test_a_drawing_is_read_out_and_has_dates_where_days_go_by():
    week = worth_plot(history(1000, 2000, step=timedelta(days=7)))

    assert 'aria-label="From $1,000.00 on Nov 28 12:44 ET to $2,000.00"' in week
    assert ">Dec 05</text>" in week
    assert ">Nov 28 12:44</text>" in worth_plot(history(1000, 2000))
    assert "style=" not in week


@pytest.mark.parametrize(
    ("grain", "start"),
    [
        (Grain.MINUTE, datetime(2026, 11, 28, 17, 44, tzinfo=UTC)),
        (Grain.QUARTER, datetime(2026, 11, 28, 17, 30, tzinfo=UTC)),
        (Grain.DAY, datetime(2026, 11, 28, 5, 0, tzinfo=UTC)),
    ],
)
def test_a_stretch_begins_on_the_clock_and_a_day_at_midnight_in_new_york(grain, start):
    assert start_of(grain, MOMENT) == start


@given(st.integers(0, 50), st.integers(1, 12))
def test_thinning_keeps_the_last_point_and_no_more_than_asked(number, most):
    points = history(*range(number))

    kept = thinned(points, most)

    assert len(kept) <= most
    assert kept[-1:] == points[-1:]


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ({}, ""),
        ({"sort": "place", "page": "1", "q": " "}, ""),
        ({"q": "a b&c", "sort": "-value"}, "?q=a+b%26c&sort=-value"),
        ({"sort": "-nonsense", "page": "-3"}, ""),
        ({"page": "2", "sort": "alias"}, "?sort=alias&page=2"),
        ({"page": "0"}, ""),
        ({"page": "99999"}, ""),
        ({"page": "²"}, ""),
    ],
)
def test_the_grids_address_says_only_what_is_unusual(words, address):
    assert str(GridQuery.of(words)) == address


def test_a_span_that_is_none_is_a_day():
    assert [span_of(word) for word in ("1w", "", "<x>")] == ["1w", "1d", "1d"]
