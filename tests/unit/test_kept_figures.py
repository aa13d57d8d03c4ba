"""docs/performance.md and its plots show the figures that are kept, and no others."""

import json

import pytest

from benchmarks import check
from benchmarks.keeping import BASELINE, BLOCK, IMAGES, PAGE, shown
from benchmarks.plots import draw_all, plot, round_down, round_up, stacked
from benchmarks.report import Section, markdown, spread


@pytest.fixture
def kept():
    return json.loads(BASELINE.read_text())


def test_the_page_shows_the_figures_that_are_kept(kept):
    text = PAGE.read_text()

    assert len(BLOCK.findall(text)) == text.count("<!-- figures:")
    assert shown(text, kept) == text


def test_the_plots_are_drawn_from_the_figures_that_are_kept(kept, tmp_path):
    draw_all(kept, tmp_path)

    drawn = sorted(tmp_path.iterdir())
    assert [one.name for one in drawn] == ["broadcast.svg", "stages.svg"]
    for one in drawn:
        assert one.read_text() == (IMAGES / one.name).read_text()


def test_a_block_of_figures_that_are_not_there_is_an_error(kept):
    with pytest.raises(KeyError):
        shown("<!-- figures: nothing -->\n<!-- end of figures -->\n", kept)


def test_the_guard_finds_every_ratio_in_the_figures_that_are_kept(kept):
    rows = check.rows_of(kept)

    assert all(ratio(rows) > 0 for ratio in check.RATIOS.values())
    assert check.worse(kept, kept) == []


def test_the_guard_sees_a_click_that_became_slower(kept):
    slower = json.loads(json.dumps(kept))
    (row,) = [one for one in slower["clicks"]["sections"] if one["name"] == "clicks-1000"]
    row["rows"]["1,000 accounts"]["last sent"] *= 2

    assert check.worse(kept, slower) == ["click of 1,000 / click of 45"]


def test_figures_are_written_as_a_table():
    section = Section("a", "Title", {"first": {"median": 1.5, "max": 2}}, "Words.")

    lines = markdown(section).splitlines()

    assert lines[0] == "**Title**"
    assert lines[-3:] == ["| | median | max |", "|---|--:|--:|", "| first | 1.5 | 2 |"]


def test_a_spread_is_median_95th_percentile_and_maximum():
    assert spread([float(n) for n in range(1, 101)]) == {"median": 50.5, "p95": 96.0, "max": 100.0}


@pytest.mark.parametrize(
    ("value", "below", "above"), [(1, 1, 1), (3, 2, 5), (47, 20, 50), (185, 100, 200)]
)
def test_scales_end_at_round_numbers(value, below, above):
    assert (round_down(value), round_up(value)) == (below, above)


def test_a_line_goes_up_where_the_time_goes_up():
    drawn = plot({"sent": [(1, 20), (45, 30), (1000, 200)]})

    points = drawn.split("polyline points='")[1].split("'")[0].split()
    xs, ys = zip(*(map(float, point.split(",")) for point in points), strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)


def test_the_stages_of_a_bar_fill_it():
    drawn = stacked({"45": {"form": 10.0, "send": 30.0}})

    widths = [
        float(part.split("'")[0])
        for part in drawn.split("height='26'")[0:-1]
        for part in [part.rsplit("width='", 1)[1]]
    ]
    assert widths[1] == pytest.approx(3 * widths[0], abs=0.2)
