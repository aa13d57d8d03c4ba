"""The drawings of the history: everything lies inside, and what is counted adds up."""

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.domain.timings import Bar, Timings
from orders.templatetags.history_charts import (
    BUDGET_MS,
    MOST_BARS,
    WIDTH,
    count_in,
    drift,
    drift_words,
    gather,
    scale_end,
    waterfall,
    waterfall_words,
    where_ms,
)
from tests.unit.orders.test_timings import timed

NUMBER = r"-?\d+(?:\.\d+)?"


def rects(svg):
    """Return x, y, width, height of every rectangle."""
    found = re.findall(r'<rect [^>]*?x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"', svg)
    return [tuple(map(float, one)) for one in found]


def lines(svg):
    """Return (x from, y, x to) of every line of a waterfall."""
    paths = re.findall(r'<path class="(?:queued|answered)" [^>]*d="([^"]*)"', svg)
    return [
        tuple(map(float, one))
        for path in paths
        for one in re.findall(rf"M({NUMBER}) ({NUMBER})H({NUMBER})", path)
    ]


def height_of(svg):
    (height,) = re.findall(rf'viewBox="0 0 {WIDTH} ({NUMBER})"', svg)
    return float(height)


def bars_of(count):
    return [Bar(19.0, 24.0 + number * 0.07, 40.0 + number * 3) for number in range(count)]


prices = st.dictionaries(
    st.decimals("0.01", "500", places=2), st.integers(1, 5000), min_size=1, max_size=60
)


@given(prices, st.none() | st.decimals("0.01", "500", places=2))
def test_the_bars_of_the_fills_lie_inside_whatever_the_prices(found, limit):
    svg = drift(found, limit, max(found))
    height = height_of(svg)

    assert rects(svg)
    for x, y, width, tall in rects(svg):
        assert 0 <= x <= x + width <= WIDTH + 0.1
        assert 0 <= y <= y + tall <= height


@given(prices)
def test_every_fill_is_counted_once(found):
    bars = gather(found)

    assert sum(bars.values()) == sum(found.values())
    assert len(bars) <= max(24, min(len(found), 24))
    assert min(found) <= min(bars) <= max(bars) <= max(found)


def test_a_single_price_stands_in_the_middle():
    svg = drift({Decimal("2.35"): 45}, None, Decimal("2.35"))

    (bar,) = rects(svg)
    assert bar[0] + bar[2] / 2 == WIDTH / 2
    assert ">2.35</text>" in svg
    assert ">45</text>" in svg


def test_the_fills_are_read_out_as_a_sentence():
    found = {Decimal("2.31"): 3, Decimal("2.35"): 20}

    assert drift_words(found, Decimal("2.30"), Decimal("2.34")) == (
        "23 account orders filled from 2.31 to 2.35, on average at 2.34, the limit is 2.30."
    )


@given(
    st.lists(
        st.tuples(st.floats(0, 9000), st.floats(0, 9000), st.none() | st.floats(0, 9000)),
        min_size=1,
        max_size=MOST_BARS,
    )
)
def test_the_lines_of_the_waterfall_lie_inside_however_late_an_answer_is(found):
    bars = [Bar(min(a, b), max(a, b), None if c is None else max(a, b, c)) for a, b, c in found]
    svg = waterfall(Timings(bars, [], None))
    height = height_of(svg)

    assert len(lines(svg)) == len(bars) + sum(bar.answered is not None for bar in bars)
    for start, y, end in lines(svg):
        assert 0 <= start <= end <= WIDTH
        assert 0 <= y <= height


def test_the_line_of_200_ms_is_always_in_sight():
    assert scale_end(Timings([Bar(1, 2, 3)], [], None)) > BUDGET_MS


def test_forty_five_accounts_cost_less_than_six_kilobytes():
    timings = Timings(bars_of(45), timed((19, 24, 60)).spans, None)
    found = {Decimal(230 + number) / 100: number + 1 for number in range(12)}

    drawn = [waterfall(timings), where_ms(timings), drift(found, Decimal("2.35"), Decimal("2.37"))]

    assert sum(len(svg.encode()) for svg in drawn) < 6000


def test_of_many_accounts_it_is_drawn_how_many_took_how_long():
    svg = waterfall(Timings(bars_of(2000), [], None))

    assert lines(svg) == []
    assert 'class="queued-box"' in svg
    assert 'class="answered-box"' in svg
    assert len(svg.encode()) < 6000


@given(st.lists(st.floats(0, 500), max_size=300))
def test_every_answer_falls_between_two_edges(values):
    edges = [float(number * 10) for number in range(21)]

    assert sum(count_in(values, edges)) == len(values)


def test_the_waterfall_is_read_out_as_a_sentence():
    words = waterfall_words(timed((19, 24, 60), (19, 25, None)))

    assert words == (
        "2 requests sent within 25 ms of the click, answered within 60 ms; the line is at 200 ms."
        " 1 without an answer."
    )


def test_the_stretches_fill_the_bar_from_end_to_end():
    svg = where_ms(timed((19, 24, 60), (19, 25, 90)))

    assert sum(width for _, _, width, _ in rects(svg)) == WIDTH
    assert "Where the time went: form, guards, rows 11.0 ms" in svg
