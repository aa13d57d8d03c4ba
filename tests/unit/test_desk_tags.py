"""What the desk's template tags write."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from django.utils.safestring import SafeString

from orders.domain.lifecycle import ParentStatus, Status
from orders.templatetags import desk
from strategies.domain.tickets import Instruction, Leg

STATIC = Path(__file__).resolve().parents[2] / "static"


@pytest.mark.parametrize("status", [*Status, *ParentStatus])
def test_every_status_has_words_an_icon_and_a_colour(status):
    look = desk.LOOKS[status]
    sheet = (STATIC / "css" / "app.css").read_text()

    assert desk.status_words(status) == look.words
    assert (STATIC / "icons" / f"status-{look.glyph}.svg").exists()
    assert re.search(rf"\.st-{look.glyph}\b", sheet)
    assert re.search(rf"\.tag-{look.glyph}\b", sheet)


def test_an_unheard_of_status_is_an_error_and_not_a_blank():
    with pytest.raises(KeyError):
        desk.status_words("LOST")


def test_a_status_shows_its_icon_its_words_and_what_is_filled():
    shown = desk.status_glyph("PARTIAL", filled="31/45")

    assert isinstance(shown, SafeString)
    assert shown == (
        '<span class="tag tag-partial"><i class="st st-partial"></i>Partly filled'
        ' <span class="num">31/45</span></span>'
    )


def test_a_status_without_a_count_shows_none():
    assert "num" not in desk.status_glyph("WORKING")


def test_a_grid_keeps_the_order_of_the_accounts():
    shown = desk.status_grid(["WORKING", "FILLED", "SKIPPED", "PARTIAL", ""])

    assert isinstance(shown, SafeString)
    assert re.findall(r"st-(\w+)", shown) == ["working", "filled", "skipped", "partial", "none"]


def test_a_grid_is_read_out_as_counts_whatever_the_order_of_its_cells():
    codes = ["WORKING", *["FILLED"] * 41, "REJECTED", "", *["WORKING"] * 2]

    shown = desk.status_grid(codes)

    assert 'role="img" aria-label="41 filled, 3 working, 1 rejected"' in shown


def test_an_empty_grid_says_so():
    assert 'aria-label="no accounts"' in desk.status_grid([])


def test_the_tips_of_cells_cannot_break_out_of_their_attribute():
    shown = desk.status_grid(["FILLED", "FILLED"], ['{0} & "B" <script> Filled 2.35', "a|b"])

    assert 'data-tips="{0} &amp; &quot;B&quot; &lt;script&gt; Filled 2.35|a/b"' in shown


def test_the_cells_of_many_accounts_are_small_and_those_of_more_become_a_bar():
    usual, many, too_many = (desk.status_grid(["FILLED"] * n) for n in (60, 61, 201))

    assert 'class="sg"' in usual
    assert 'class="sg sg-small"' in many
    assert "<i" not in too_many


def test_a_bar_shows_the_shares_of_the_statuses_and_their_counts():
    shown = desk.status_grid([*["FILLED"] * 800, *["WORKING"] * 150, *["SKIPPED"] * 50, ""])

    assert 'viewBox="0 0 1000 12"' in shown
    assert '<rect class="tag-filled" x="0" width="800" height="12"/>' in shown
    assert '<rect class="tag-working" x="800" width="150" height="12"/>' in shown
    assert shown.endswith("800 filled, 150 working, 50 skipped</span>")


@pytest.mark.parametrize(
    ("symbol", "instruction", "shown"),
    [
        (
            "SPXW  251205C07200000",
            "BUY_TO_OPEN",
            '<b class="buy">BTO</b> SPXW 12/05/2025 7200.00 C',
        ),
        (
            "SPXW  251205P07200000",
            "SELL_TO_OPEN",
            '<b class="sell">STO</b> SPXW 12/05/2025 7200.00 P',
        ),
        ("AAPL", "SELL_SHORT", '<b class="sell">SHORT</b> AAPL'),
    ],
)
def test_a_leg_shows_shorthand_and_readable_symbol(symbol, instruction, shown):
    assert desk.leg(Leg(symbol, Instruction(instruction))) == shown


def test_a_leg_whose_instruction_comes_from_a_row_as_text_is_shown_the_same():
    @dataclass
    class Row:
        symbol: str
        instruction: str

    assert desk.leg(Row("<b>", "BUY")) == '<b class="buy">BUY</b> &lt;b&gt;'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1284310.2249"), "$1,284,310.22"),
        (Decimal(-235), "\N{MINUS SIGN}$235.00"),
        (Decimal(0), "$0.00"),
        (None, "—"),
    ],
)
def test_money_has_a_sign_separators_and_cents(value, shown):
    assert desk.money(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("2.3500"), "2.35"),
        (Decimal("0.0125"), "0.0125"),
        (Decimal("1.8"), "1.80"),
        (Decimal(6902), "6,902.00"),
        (Decimal("-1.5"), "\N{MINUS SIGN}1.50"),
        (None, "—"),
    ],
)
def test_a_price_keeps_the_decimals_of_the_broker(value, shown):
    assert desk.price(value) == shown


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2025, 12, 5, 14, 41, 22, tzinfo=UTC), "09:41:22 ET"),
        (datetime(2025, 7, 1, 14, 41, 22, tzinfo=UTC), "10:41:22 ET"),
        (None, "—"),
    ],
)
def test_a_time_is_told_in_new_york_summer_and_winter(at, shown):
    assert desk.et_time(at) == shown


def test_a_moment_has_its_day_in_new_york_too():
    assert desk.et_moment(datetime(2025, 12, 5, 3, 41, 22, tzinfo=UTC)) == "Dec 04 22:41:22 ET"
    assert desk.et_moment(None) == "—"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-3, "0:00"), (7, "0:07"), (83, "1:23"), (3600, "1:00:00"), (93780, "26:03:00")],
)
def test_a_span_is_written_as_a_clock_shows_it(seconds, shown):
    assert desk.clock(seconds) == shown


def test_an_age_names_its_beginning_for_the_page_to_count_on():
    since = timezone.now() - timedelta(seconds=83)

    assert desk.age(since) == (
        f'<time class="num late" datetime="{since.isoformat()}" data-count="up">1:23</time>'
    )


@pytest.mark.parametrize(("left_s", "shown"), [(37, "in 0:37"), (0, "now"), (-5, "now")])
def test_a_countdown_ends_in_now(left_s, shown):
    at = timezone.now() + timedelta(seconds=left_s)

    assert desk.countdown(at) == (
        f'<time class="num" datetime="{at.isoformat()}" data-count="down">{shown}</time>'
    )


def test_the_page_counts_what_the_tags_write_and_calls_the_same_age_late():
    script = (STATIC / "js" / "m" / "ages.js").read_text()

    assert "time[data-count]" in script
    assert f"LATE_S = {desk.LATE_S};" in script


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Decimal("4.0000"), "4"), (Decimal("0.50"), "0.5"), (Decimal(100), "100"), (None, "—")],
)
def test_a_quantity_has_no_needless_zeros(value, shown):
    assert desk.amount(value) == shown


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        desk.et_time(datetime(2025, 12, 5, 14, 41, 22))  # noqa: DTZ001 (what is tested)
