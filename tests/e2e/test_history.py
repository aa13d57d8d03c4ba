"""The history in a browser: filtered, sorted, scrolled and walked through by keyboard, always live."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.past import fill
from tests.e2e.site import Site

pytestmark = pytest.mark.timeout(240)

SOON_MS = 30_000


@pytest.fixture(scope="module")
def old(site: Site) -> Site:
    """An installation with a past of several pages."""
    fill(site.stack, broadcasts=230)
    return site


def test_rows_are_walked_by_keyboard_and_each_is_shown_beside_the_list(desk: Page, old: Site):
    desk.goto(f"{old.url}/history/")
    expect(desk.locator("#broadcast svg.waterfall")).to_be_visible(timeout=SOON_MS)

    desk.keyboard.press("j")
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")

    chosen = desk.locator("tr[data-row][aria-selected=true]")
    expect(chosen).to_have_count(1)
    number = chosen.locator("[data-open]").inner_text()
    expect(desk.locator("#broadcast h2").first).to_contain_text(f"#{number} ")

    desk.locator(".accounts-sent tbody th a").first.click()
    expect(desk.locator(".life-told")).to_contain_text("Working")


def test_a_click_on_a_number_selects_its_row(desk: Page, old: Site):
    desk.goto(f"{old.url}/history/")
    link = desk.locator("tr[data-row] [data-open]").nth(4)
    number = link.inner_text()
    link.click()

    expect(desk.locator("#broadcast h2").first).to_contain_text(f"#{number} ", timeout=SOON_MS)
    expect(desk.locator("tr[data-row][aria-selected=true] [data-open]")).to_have_text(number)


def test_filters_and_sorting_stand_in_the_address_and_the_file_holds_the_same(
    desk: Page, old: Site
):
    desk.goto(f"{old.url}/history/")
    desk.get_by_label("Options or stocks").select_option("STOCKS")
    expect(desk.locator("#history-count")).to_contain_text("46", timeout=SOON_MS)
    desk.get_by_role("link", name="Avg").click()
    expect(desk).to_have_url(re.compile(r"/history/\?kind=STOCKS&sort=-average$"))
    expect(desk.locator("#sort-average").locator("..")).to_have_attribute("aria-sort", "descending")

    with desk.expect_download() as told:
        desk.get_by_role("link", name="CSV").click()
    with told.value.path().open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 46
    assert {row["strategy"] for row in rows} == {"Shares"}


def test_more_rows_come_on_scrolling_and_new_orders_on_top(desk: Page, old: Site):
    desk.goto(f"{old.url}/history/")
    rows = desk.locator("#history tr[data-row]")
    expect(rows).to_have_count(100, timeout=SOON_MS)
    desk.locator("#history .more").scroll_into_view_if_needed()
    expect(rows).to_have_count(200, timeout=SOON_MS)
    desk.locator("#history .more").scroll_into_view_if_needed()
    expect(rows).to_have_count(230, timeout=SOON_MS)

    order = old.program.post_order(old.program.condor()).json()

    expect(rows).to_have_count(231, timeout=SOON_MS)
    expect(rows.first.locator("[data-open]")).to_have_text(str(order["id"]))
    expect(desk.locator("tr[data-row][aria-selected=true]")).to_have_count(1)
