"""The page of accounts in a real browser: switch, undo, refresh, dialog, plot."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.site import Site

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def accounts(desk: Page, site: Site) -> Page:
    """The page of accounts, open and told of changes."""
    desk.goto(f"{site.url}/accounts/")
    expect(desk.locator("#lamp")).to_contain_text("LIVE")
    expect(desk.locator("tr[data-row]")).to_have_count(45)
    return desk


def test_a_switch_acts_at_once_and_is_undone(accounts):
    switch = accounts.locator(".sw").nth(3)

    switch.click()

    expect(switch).to_have_attribute("aria-checked", "false")
    expect(accounts.locator("#sums")).to_contain_text("44 / 45")
    accounts.get_by_role("button", name="Undo").click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(accounts.locator("#sums")).to_contain_text("45 / 45")


def test_an_undo_shows_at_once_without_a_stream(desk, site):
    """The toast that asked is gone by then, and nothing else tells the grid."""
    desk.route("**/live/stream/", lambda route: route.abort())
    desk.goto(f"{site.url}/accounts/")
    switch = desk.locator(".sw").nth(4)
    switch.click()
    expect(desk.locator("#sums")).to_contain_text("44 / 45")

    desk.get_by_role("button", name="Undo").click()

    expect(switch).to_have_attribute("aria-checked", "true")


def test_an_undo_whose_answer_comes_late_is_sent_once_and_said(accounts):
    """Its toast is gone by then."""
    switch = accounts.locator(".sw").nth(6)
    switch.click()
    undo = accounts.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    held: list[Route] = []
    accounts.route("**/accounts/switch/**", lambda route: held.append(route))

    undo.click()

    expect(undo).to_be_disabled()
    expect(undo).to_have_count(0, timeout=10_000)
    held[0].continue_()
    expect(accounts.locator("#toasts")).to_contain_text("in broadcasts")
    expect(switch).to_have_attribute("aria-checked", "true")
    assert len(held) == 1


def test_a_toast_whose_undo_was_taken_leaves(accounts):
    accounts.locator(".sw").nth(7).click()
    expect(accounts.locator("#toasts")).to_contain_text("out of broadcasts")

    accounts.get_by_role("button", name="Undo").click()

    expect(accounts.locator("#toasts")).not_to_contain_text("out of broadcasts", timeout=2_000)
    expect(accounts.locator("#toasts")).to_contain_text("in broadcasts")


def test_r_reads_all_accounts_and_shows_how_far_it_is(accounts):
    expect(accounts.locator("#cost")).to_have_text("45 calls, one per login")

    accounts.keyboard.press("r")

    expect(accounts.locator("#refresh")).to_contain_text("/45 read")
    expect(accounts.locator("#refresh")).to_contain_text("45/45 read", timeout=20_000)


def test_ticks_survive_a_refresh_and_say_what_reading_them_costs(accounts):
    boxes = accounts.locator(".pick input[name=account]")
    boxes.nth(1).check()
    boxes.nth(2).check()
    expect(accounts.locator("[data-picked]")).to_have_text(
        "2 accounts ticked; reading them costs 2 calls"
    )

    accounts.locator("#picked").get_by_role("button", name="Refresh").click()

    expect(accounts.locator("#refresh")).to_contain_text("2/2 read", timeout=20_000)
    expect(accounts.locator(".pick input[name=account]:checked")).to_have_count(2)


def test_the_dialog_keeps_what_was_typed_and_changes_the_row(accounts):
    row = accounts.locator("tr[data-row]").nth(7)
    row.locator("[data-open]").click()
    dialog = accounts.locator("#modal")
    dialog.get_by_label("Alias").fill("Birch LLC 1")
    dialog.get_by_label("Multiplier").fill("101")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".error")).to_contain_text("less than or equal to 100")
    expect(dialog.get_by_label("Alias")).to_have_value("Birch LLC 1")

    dialog.get_by_label("Multiplier").fill("1.5")
    dialog.get_by_role("button", name="Save").click()

    expect(dialog).not_to_be_visible()
    expect(row).to_contain_text("Birch LLC 1")
    expect(row).to_contain_text("1.5")


def test_the_plot_is_drawn_only_when_it_is_unfolded(accounts):
    assert accounts.evaluate("window.uPlot === undefined")

    accounts.get_by_text("AUM over time").click()
    accounts.locator("[data-span='all']").click()

    expect(accounts.locator("[data-span='all']")).to_have_attribute("aria-current", "true")
    expect(accounts.locator("#aum-plot > *").first).to_be_visible()


def test_an_answer_for_another_span_that_comes_late_is_not_drawn(accounts):
    held: list[Route] = []
    accounts.route(re.compile(r"span=1d"), lambda route: held.append(route))
    accounts.get_by_text("AUM over time").click()
    accounts.locator("[data-span='all']").click()
    expect(accounts.locator("#aum-plot > *").first).to_be_visible()

    with accounts.expect_response(re.compile(r"span=1d")):
        held[0].continue_()
    accounts.wait_for_timeout(300)

    expect(accounts.locator("[data-span='all']")).to_have_attribute("aria-current", "true")


def test_finding_and_sorting_keep_the_page_and_the_panel_together(accounts):
    # Ten by their names, and two whose numbers have these digits.
    accounts.locator("#find input").fill("paper 01")
    expect(accounts.locator("tr[data-row]")).to_have_count(12)
    accounts.get_by_role("link", name="Value").click()
    expect(accounts.locator("th[aria-sort=ascending]")).to_contain_text("Value")
    expect(accounts.locator("tr[data-row]")).to_have_count(12)
    assert "sort=value" in accounts.url

    accounts.keyboard.press("r")

    expect(accounts.locator("#refresh")).to_contain_text("45/45 read", timeout=20_000)
    expect(accounts.locator("tr[data-row]")).to_have_count(12)


@contextmanager
def frozen(site: Site) -> Iterator[None]:
    """Freeze the fleet for a while."""
    mode = {"scope": "FLEET", "why": "bad news"}

    def change(**more: str) -> None:
        answer = site.program.session.post(f"{site.program.url}mode/", json={**mode, **more})
        answer.raise_for_status()

    change(mode="FROZEN")
    try:
        yield
    finally:
        change(mode="OPEN", password=site.ready["password"])


def test_a_switch_that_is_refused_goes_back_and_says_why(accounts, site):
    switch = accounts.locator(".sw").nth(5)
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")

    with frozen(site):
        switch.click()

        expect(accounts.get_by_role("alert").last).to_contain_text("Open it under Modes first.")
        expect(switch).to_have_attribute("aria-checked", "false")

    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
