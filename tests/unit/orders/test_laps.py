"""Where the milliseconds of a broadcast go is said in milliseconds from the click."""

from datetime import UTC, datetime

from orders.domain.laps import Laps

CLICK = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)


def test_laps_count_from_the_click():
    laps = Laps(CLICK)
    laps.mark("claimed", CLICK.timestamp() + 0.0123)
    laps.mark("last sent", CLICK.timestamp() + 0.0301)

    assert str(laps) == "claimed 12.3, last sent 30.1"


def test_a_lap_without_a_moment_is_now():
    laps = Laps(datetime.now(UTC))
    laps.mark("judged")

    name, _, ms = str(laps).rpartition(" ")
    assert name == "judged"
    assert 0 <= float(ms) < 1000
