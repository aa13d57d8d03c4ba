"""Clicks that send: each of them sends once, and none that was meant for something else."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browsing import posts
from tests.e2e.site import Site

pytestmark = pytest.mark.timeout(180)

SEEN_WITHIN_MS = 40_000
SEND = "#ticket button:has-text('SEND TO 45 ACCOUNTS')"


# --- a click that was meant for the step before -----------------------------------------------------


@pytest.fixture
def ticket(desk: Page, site: Site) -> Page:
    """The stock desk, with a market order in its ticket and the cursor in a field of it."""
    desk.goto(f"{site.url}/stocks/")
    desk.get_by_label("Type", exact=True).select_option("MARKET")
    expect(desk.get_by_label("Limit", exact=True)).to_have_count(0)
    desk.get_by_label("Shares", exact=True).focus()
    return desk


def test_a_second_enter_in_the_ticket_of_the_stock_desk_sends_nothing_and_a_third_sends_once(
    ticket,
):
    sent = posts(ticket, r"/desk/send/$")
    ticket.evaluate(
        """() => new MutationObserver(() => {
          const send = document.querySelector("#ticket button.btn-primary[data-arm]");
          if (!send || document.body.dataset.clicked) return;
          document.body.dataset.clicked = "yes";
          send.focus();
          send.click();
        }).observe(document.querySelector("#ticket"), { childList: true, subtree: true })"""
    )

    ticket.keyboard.press("Enter")
    expect(ticket.locator("body")).to_have_attribute("data-clicked", "yes")
    ticket.keyboard.press("Enter")
    ticket.wait_for_timeout(500)
    assert sent == []
    expect(ticket.locator(SEND)).to_be_focused()

    ticket.keyboard.press("Enter")
    expect(ticket.locator("#ticket")).to_contain_text("is on its way")
    assert len(sent) == 1


def test_an_enter_that_is_held_down_reviews_and_sends_nothing(ticket):
    """Of another size than the other test's, for a duplicate would have to be ticked first."""
    sent = posts(ticket, r"/desk/send/$")
    ticket.get_by_label("Shares", exact=True).fill("3")
    expect(ticket.locator("#ticket")).to_contain_text("135 sh")

    ticket.keyboard.down("Enter")
    expect(ticket.locator(SEND)).to_be_focused()
    for _ in range(20):
        ticket.keyboard.down("Enter")
        ticket.wait_for_timeout(50)
    ticket.keyboard.up("Enter")

    assert sent == []
    expect(ticket.locator(SEND)).to_be_enabled()


# As the review of an order with real money has it.
PASSWORD_FIELD = '<input type="password" name="password" aria-label="Password" required>'


def test_an_enter_in_the_password_of_the_review_neither_sends_nor_goes_back(ticket):
    ticket.get_by_label("Shares", exact=True).fill("2")
    expect(ticket.locator("#ticket")).to_contain_text("90 sh")
    ticket.keyboard.press("Enter")
    expect(ticket.locator(SEND)).to_be_focused()
    ticket.locator("#ticket .review").evaluate(
        "(review, field) => review.insertAdjacentHTML('beforeend', field)", PASSWORD_FIELD
    )
    ticket.wait_for_timeout(500)  # the button that sends is armed
    sent, back = posts(ticket, r"/desk/send/$"), posts(ticket, r"/desk/ticket/$")

    password = ticket.get_by_label("Password", exact=True)
    password.fill("a password")
    password.press("Enter")
    ticket.wait_for_timeout(1000)

    assert (sent, back) == ([], [])
    expect(password).to_have_value("a password")
    expect(ticket.locator(SEND)).to_be_enabled()


# --- an exit that is not asked about ----------------------------------------------------------------


@pytest.fixture
def strip(desk: Page, site: Site) -> Iterator[Page]:
    """The desk with the undo strip of a one-click exit, just begun, its page's clock in our hands."""
    ticket = site.program.condor()
    number = site.program.post_order(ticket).json()["id"]
    site.program.wait_for_order(number, "FILLED")
    choose(desk, site, "EXIT with one click", is_on=True)
    desk.clock.install()
    desk.goto(site.url)
    desk.locator("#sets a.btn-exit").first.click(timeout=SEEN_WITHIN_MS)
    expect(desk.locator("#modal .exit-soon")).to_be_visible()
    yield desk
    choose(desk, site, "EXIT with one click", is_on=False)


def test_who_wants_to_look_first_stops_an_exit_however_late_the_answer_is(strip):
    sent = posts(strip, r"/exit/$")
    held: list[Route] = []
    strip.route(re.compile(r"/exit/\?look=1$"), lambda route: held.append(route))

    strip.get_by_role("link", name="Look first").click()

    strip.wait_for_timeout(4_000)
    assert sent == []
    expect(strip.locator("#modal [role=alert]")).to_contain_text("does not go out")
    held[0].continue_()
    expect(strip.locator("#modal")).to_contain_text("Keep position", timeout=10_000)


def test_an_exit_does_not_go_out_by_itself_when_the_machine_has_slept_meanwhile(strip):
    sent = posts(strip, r"/exit/$")

    strip.clock.fast_forward("01:00")

    strip.wait_for_timeout(4_000)
    assert sent == []
    expect(strip.locator("#modal [role=alert]")).to_contain_text("what you see is too old")


def test_what_a_page_hears_when_it_wakes_up_does_not_make_its_exit_fresh(strip):
    sent = posts(strip, r"/exit/$")

    # No timer has run yet when the stream speaks again.
    strip.clock.set_system_time(strip.evaluate("Date.now()") / 1000 + 60)
    strip.evaluate("document.dispatchEvent(new CustomEvent('htmx:sse:after:message'))")

    strip.wait_for_timeout(4_000)
    assert sent == []
    expect(strip.locator("#modal [role=alert]")).to_contain_text("what you see is too old")


def test_an_exit_that_is_left_alone_goes_out_once(strip):
    sent = posts(strip, r"/exit/$")

    expect(strip.locator("#toasts")).to_contain_text("is on its way", timeout=10_000)

    assert len(sent) == 1


def choose(page: Page, site: Site, label: str, *, is_on: bool) -> None:
    """Set one of the agent's settings."""
    page.goto(f"{site.url}/settings/")
    page.get_by_label(label).set_checked(is_on)
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("text=Saved.")
