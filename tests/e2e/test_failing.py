"""What goes wrong between page and server is said: old panels, lost networks, ended sessions."""

import re

import pytest
from playwright.sync_api import Dialog, Route, expect

from tests.e2e.browsing import posts
from tests.e2e.living import is_calm, is_live

pytestmark = pytest.mark.timeout(240)


def test_a_panel_that_failed_says_since_when_it_is_old_until_it_is_asked_again(desk):
    is_calm(desk)
    desk.route("**/desk/panels/orders/*", lambda route: route.fulfill(status=503, body="No."))

    desk.evaluate("window.htmx.trigger('#orders', 'resync')")

    header = desk.locator(".pane:has(#orders) > header")
    expect(header).to_contain_text(re.compile(r"! not updated since \d\d:\d\d:\d\d"))
    expect(desk.locator("#orders")).not_to_contain_text("No.")
    desk.unroute("**/desk/panels/orders/*")
    header.get_by_role("button", name="Retry").click()
    expect(header).not_to_contain_text("not updated")


def test_a_list_that_only_polls_says_so_too_and_says_it_once(desk, site):
    desk.goto(f"{site.url}/desk/unknown/")
    is_calm(desk)
    asked: list[str] = []

    def fail(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, body="No.")

    desk.route("**/desk/unknown/", fail)
    header = desk.locator(".pane:has(#unknown-orders) > header")
    expect(header).to_contain_text("! not updated since", timeout=8_000)
    while len(asked) < 3:
        desk.wait_for_timeout(500)
    expect(header.get_by_text("! not updated since")).to_have_count(1)
    expect(desk.locator("#toasts .note")).to_have_count(0)

    desk.unroute("**/desk/unknown/")
    header.get_by_role("button", name="Retry").click()

    expect(header).not_to_contain_text("not updated", timeout=2_000)


def test_a_ticket_whose_figures_do_not_come_says_so_until_it_is_left(desk, site):
    desk.goto(f"{site.url}/stocks/")
    expect(desk.locator("#ticket .figures")).to_be_visible()
    desk.route("**/desk/ticket/figures/**", lambda route: route.fulfill(status=503, body="No."))

    desk.evaluate("window.htmx.trigger('#ticket .figures', 'resync')")

    header = desk.locator(".pane:has(#ticket) > header")
    expect(header).to_contain_text("! not updated since")
    desk.locator("#ticket footer").get_by_role("button", name="Review order").click()
    expect(desk.locator("#ticket")).to_contain_text("SEND TO")
    expect(header).not_to_contain_text("not updated")


def test_what_is_said_already_is_not_said_beside_itself(desk, site):
    desk.goto(f"{site.url}/accounts/")
    is_calm(desk)
    desk.route("**/accounts/switch/**", lambda route: route.fulfill(status=503, body="No."))
    sent = posts(desk, "/accounts/switch/")

    for place in range(3):
        desk.locator(".sw").nth(place).click()

    expect(desk.locator("#toasts")).to_contain_text("The site does not answer.")
    desk.wait_for_timeout(500)
    assert len(sent) == 3
    expect(desk.locator("#toasts .note")).to_have_count(1)


def test_a_page_without_a_network_says_that_it_reconnects(desk):
    is_calm(desk)

    desk.context.set_offline(True)
    expect(desk.locator("#lamp b")).to_have_text("RECONNECTING", timeout=5_000)

    desk.context.set_offline(False)
    is_live(desk)


def test_a_page_that_hears_nothing_for_half_a_minute_says_stale_in_every_pane(desk, silence):
    is_calm(desk)

    silence.begin()

    expect(desk.locator("#lamp b")).to_have_text("STALE", timeout=50_000)
    marks = desk.evaluate(
        """() => [...document.querySelectorAll(".pane > header")].map((one) =>
             getComputedStyle(one, "::before").content)"""
    )
    assert set(marks) == {'"STALE"'}
    silence.end()
    is_live(desk)


def test_what_is_sent_on_stale_figures_is_asked_for_once_more(desk, order, silence):
    is_calm(desk)
    desk.locator(order.row).get_by_role("link", name="Cancel broadcast").click()
    sends = desk.locator("#modal").get_by_role("button", name="CANCEL IN 45 ACCOUNTS")
    expect(sends).to_be_enabled()
    asked: list[str] = []
    sent = posts(desk, "/cancel/$")

    def decline(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    desk.on("dialog", decline)
    silence.begin()
    expect(desk.locator("#lamp b")).to_have_text("STALE", timeout=50_000)

    sends.click()

    assert re.fullmatch(r"What you see is \d+ s old. Send all the same\?", asked[0])
    assert sent == []


def test_a_page_whose_session_ended_says_so_stays_and_leads_back(desk, site):
    desk.goto(site.url + "/desk/alarms/")
    is_calm(desk)
    other = desk.context.new_page()
    other.goto(site.url)
    other.locator(".top details.menu summary").click()
    other.get_by_role("button", name="Sign out").click()

    desk.evaluate("window.htmx.trigger('#fleet', 'resync')")

    expect(desk.locator("#ended")).to_be_visible()
    expect(desk.locator("#ended")).to_contain_text("Your session has ended.")
    expect(desk.locator("#lamp b")).to_have_text("SIGNED OUT")
    assert desk.locator("input[type=password]").count() == 0
    desk.get_by_role("link", name="Sign in again").click()
    assert desk.url.endswith("/sign-in/?next=%2Fdesk%2Falarms%2F")
