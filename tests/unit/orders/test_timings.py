"""Where the milliseconds of a broadcast went."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orders.domain.timings import Moments, time_broadcast

CLICK = datetime(2026, 11, 28, 14, 41, 22, tzinfo=UTC)


def at(ms):
    return None if ms is None else CLICK + timedelta(milliseconds=ms)


def timed(*moments, created=11, first_fill=None):
    return time_broadcast(
        clicked_at=CLICK,
        created_at=at(created),
        moments=[Moments(*map(at, one)) for one in moments],
        first_fill_at=at(first_fill),
    )


def test_every_stretch_begins_where_the_one_before_it_ends():
    timings = timed((19, 24, 60), (19, 25, 90), first_fill=410)

    assert [(span.name, span.start, span.end) for span in timings.spans] == [
        ("form", 0, 11),
        ("queue", 11, 19),
        ("claim", 19, 24),
        ("send", 24, 25),
        ("answers", 25, 90),
    ]
    assert timings.all_sent == 25
    assert timings.all_answered == 90
    assert timings.first_fill == 410


def test_what_was_never_sent_takes_no_part():
    timings = timed((19, 24, 60), (19, None, None), (None, None, None))

    assert len(timings.bars) == 1
    assert timings.unanswered == 0


def test_a_request_without_an_answer_is_counted():
    timings = timed((19, 24, None), (19, 25, 60))

    assert timings.unanswered == 1
    assert timings.all_answered == 60


def test_a_broadcast_of_which_nothing_was_sent_has_no_stretches():
    timings = timed((None, None, None))

    assert timings.bars == timings.spans == []
    assert timings.all_sent == timings.all_answered == 0


moments = st.tuples(
    st.none() | st.floats(-50, 5000), st.floats(-50, 5000), st.none() | st.floats(-50, 5000)
)


@given(st.lists(moments, min_size=1, max_size=30), st.floats(-50, 100))
def test_whatever_the_clocks_say_nothing_lasts_less_than_nothing(given_moments, created):
    timings = timed(*given_moments, created=created)

    assert all(0 <= bar.claimed <= bar.sent <= bar.end for bar in timings.bars)
    assert all(span.ms >= 0 for span in timings.spans)
    assert all(one.end == after.start for one, after in pairwise(timings.spans))
    assert timings.spans[0].start == 0
    assert timings.spans[-1].end >= timings.all_answered
