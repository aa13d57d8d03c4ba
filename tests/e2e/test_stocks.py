"""The stock desk and the positions in a browser: from the ticket to what is held."""

import contextlib
import csv
import re

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.e2e.site import Site

pytestmark = pytest.mark.timeout(240)

SEEN_WITHIN_MS = 40_000


def test_a_stock_order_is_typed_reviewed_sent_and_seen_filled(desk: Page, site: Site):
    desk.goto(f"{site.url}/stocks/")
    shares = desk.get_by_label("Shares", exact=True)
    expect(shares).to_be_visible()

    shares.fill("4")
    expect(desk.locator("#ticket")).to_contain_text("180 sh")
    desk.get_by_label("Type", exact=True).select_option("MARKET")
    expect(desk.get_by_label("Limit", exact=True)).to_have_count(0)
    desk.locator("#ticket footer").get_by_role("button", name="Review order").click()
    expect(desk.locator("#ticket")).to_contain_text("SEND TO 45 ACCOUNTS")
    desk.keyboard.press("Enter")  # at once: it must not fall through
    expect(desk.locator("#ticket")).to_contain_text("SEND TO 45 ACCOUNTS")
    desk.wait_for_timeout(500)
    rows = desk.locator("#orders tbody tr[data-row]")
    before = rows.count()
    desk.locator("#ticket footer .btn-primary").click()

    expect(rows).to_have_count(before + 1, timeout=SEEN_WITHIN_MS)
    row = rows.first
    expect(row).to_contain_text("AAPL")
    expect(row).to_contain_text("MKT")
    expect(row).to_contain_text("45/45", timeout=SEEN_WITHIN_MS)
    held = sum(one.get("AAPL", 0) for one in site.program.paper("positions").values())
    assert held >= 180
    expect(desk.locator("#stock-positions")).to_contain_text(f"{held}", timeout=SEEN_WITHIN_MS)


def test_a_click_shows_soon_without_a_stream(desk: Page, site: Site):
    desk.route("**/live/stream/", lambda route: route.abort())
    desk.goto(f"{site.url}/stocks/")
    desk.get_by_label("Type", exact=True).select_option("MARKET")
    expect(desk.get_by_label("Limit", exact=True)).to_have_count(0)
    desk.locator("#ticket footer").get_by_role("button", name="Review order").click()
    send = desk.locator("#ticket button", has_text="SEND TO 45 ACCOUNTS")
    expect(send).to_be_visible()
    desk.wait_for_timeout(500)
    rows = desk.locator("#orders tbody tr[data-row]")
    before = rows.count()

    send.click()

    expect(rows).to_have_count(before + 1, timeout=4_000)


def test_a_saved_order_is_loaded_into_the_one_ticket_of_the_desk(desk: Page, site: Site):
    desk.goto(f"{site.url}/stocks/")
    desk.get_by_label("Shares", exact=True).fill("3")
    desk.locator("#ticket").get_by_text("Save as template").click()
    desk.locator("#ticket").get_by_label("Name").fill("Three of them")
    desk.locator("#ticket").get_by_role("button", name="Save", exact=True).click()
    expect(desk.locator("#saved-orders")).to_contain_text("Three of them")

    desk.locator("#saved-orders").get_by_role("link", name="Load").click()

    expect(desk.locator("#ticket")).to_contain_text("SEND TO 45 ACCOUNTS")
    expect(desk.locator("dialog[open]")).to_have_count(0)
    ids = desk.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert sorted(ids) == sorted(set(ids))


def test_what_was_typed_survives_the_list_turning_live(desk: Page, site: Site):
    desk.goto(f"{site.url}/stocks/")
    shares = desk.get_by_label("Shares", exact=True)
    shares.fill("7")

    site.program.post_order(site.program.condor())
    desk.wait_for_timeout(4000)

    expect(shares).to_have_value("7")


def test_a_wrong_limit_is_told_as_it_is_typed(desk: Page, site: Site):
    desk.goto(f"{site.url}/stocks/")

    desk.get_by_label("Limit", exact=True).fill("187.205")

    expect(desk.locator("#equity-limit_notes .error")).to_contain_text("too many decimals")


def test_positions_scroll_on_filter_and_go_into_a_file(desk: Page, site: Site):
    hold(site, "AAPL", "MSFT", "SPY", "QQQ", "NVDA")
    desk.goto(f"{site.url}/positions/")
    rows = desk.locator("#positions tr[data-row]")
    expect(rows).to_have_count(100, timeout=SEEN_WITHIN_MS)

    desk.locator("#positions-more").scroll_into_view_if_needed()
    expect(rows).not_to_have_count(100)
    desk.wait_for_timeout(16_000)  # the panel asks again, for as many as are shown
    assert rows.count() > 100

    desk.keyboard.press("/")
    desk.keyboard.type("aapl")
    expect(rows).to_have_count(45)
    expect(desk).to_have_url(re.compile("q=aapl"))
    with desk.expect_download() as download:
        desk.locator("#positions-csv").click()
    lines = download.value.path().read_text().splitlines()
    assert len(list(csv.DictReader(lines))) == 45


def test_columns_sort_in_place_and_say_so(desk: Page, site: Site):
    hold(site, "AAPL", "MSFT")
    desk.goto(f"{site.url}/positions/?view=symbols")

    desk.locator("#positions").get_by_role("button", name="Value").click()

    head = desk.locator("#positions th", has_text="Value")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(desk).to_have_url(re.compile("sort=-value"))


@pytest.mark.parametrize(
    ("address", "refresh", "panel", "column"),
    [
        ("positions/?view=symbols", "positions/panel/", "#positions", "Value"),
        ("", "desk/panels/orders/", "#orders", "Strategy"),
        ("accounts/", "accounts/grid/", "#accounts", "Account"),
    ],
)
def test_a_refresh_on_its_way_does_not_undo_a_sort(
    desk: Page, site: Site, address: str, refresh: str, panel: str, column: str
):
    hold(site, "AAPL", "MSFT")
    site.program.post_order(site.program.condor())
    desk.goto(f"{site.url}/{address}")
    head = desk.locator(f"{panel} th[aria-sort]", has_text=column).first
    before = head.get_attribute("aria-sort")
    again = f"htmx.trigger(document.querySelector('{panel}'), 'resync')"
    waiting: list[Route] = []
    desk.route(f"**/{refresh}*", lambda route: waiting.append(route))
    desk.evaluate(again)
    while not waiting:  # one that the stream asked for will do
        desk.wait_for_timeout(20)

    head.locator("a, button").click()
    desk.evaluate(again)
    expect(head).not_to_have_attribute("aria-sort", before)
    after = head.get_attribute("aria-sort")
    desk.unroute(f"**/{refresh}*")
    for route in waiting:
        with contextlib.suppress(Error):  # the page does not want it any more
            route.continue_()
    desk.wait_for_timeout(1_500)

    expect(head).to_have_attribute("aria-sort", after)


def hold(site: Site, *symbols: str) -> None:
    """Let every account hold some shares that nobody broadcast."""
    held = site.program.paper("positions")
    site.program.paper(
        "positions", {account: one | dict.fromkeys(symbols, 3) for account, one in held.items()}
    )
