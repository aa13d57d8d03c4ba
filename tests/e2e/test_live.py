"""Open pages follow what happens: at once, in every browser, and without disturbing who uses them."""

import os
import signal

import pytest
from playwright.sync_api import expect

from tests.e2e.living import is_calm, is_live, web_of

pytestmark = pytest.mark.timeout(240)

TOGETHER_MS = 1_000
# The time at which a panel's status grid had so many filled cells, kept by the page itself.
WATCH_FILLS = """
([row, wanted]) => new Promise((done) => {
  const look = () => document.querySelectorAll(`${row} .st-filled`).length >= wanted;
  const watcher = new MutationObserver(() => look() && done(Date.now()));
  watcher.observe(document.querySelector("#orders"), { subtree: true, childList: true,
    attributes: true });
  if (look()) done(Date.now());
})
"""


# --- what happens is seen ---------------------------------------------------------------------------


def test_a_fill_is_seen_in_five_browsers_at_once(another_desk, order):
    pages = [another_desk() for _ in range(5)]
    for page in pages:
        is_calm(page)
        expect(page.locator(order.row)).to_be_visible()
        page.evaluate(f"void (window.seen = ({WATCH_FILLS})(['{order.row}', 3]))")

    order.fill(3)

    times = [page.evaluate("window.seen") for page in pages]
    assert max(times) - min(times) <= TOGETHER_MS


def test_a_new_broadcast_appears_by_itself_at_once(desk, order):
    is_calm(desk)

    number = order.send_again(contracts=2)

    expect(desk.locator(f"#order-{number}")).to_be_visible(timeout=3_000)


def test_the_page_follows_again_when_the_server_was_restarted(desk, site, order):
    is_calm(desk)

    os.kill(web_of(site), signal.SIGTERM)

    expect(desk.locator("#lamp b")).to_have_text("RECONNECTING", timeout=10_000)
    is_live(desk)
    order.fill(1)
    order.filled_in(desk, 1)


def test_the_ages_in_the_footer_begin_again_with_every_beat(desk):
    is_calm(desk)
    ages = "[...document.querySelectorAll('time[data-beat]')].map((one) => one.dateTime)"
    expect(desk.locator("time[data-beat]")).to_have_count(3, timeout=20_000)
    before = desk.evaluate(ages)

    desk.wait_for_timeout(7_000)

    after = desk.evaluate(ages)
    assert len(before) == 3
    assert after[:2] != before[:2]
    assert max(desk.locator("time[data-beat]").all_inner_texts()[:2]) < "7s"


# --- who uses the page is not disturbed -------------------------------------------------------------


def test_typing_focus_selection_and_scrolling_survive_an_update(desk, order):
    is_calm(desk)
    desk.keyboard.press("j")
    desk.keyboard.press("Space")
    desk.keyboard.press("/")
    desk.keyboard.type("cond")
    expect(desk.locator(order.row)).to_be_visible()
    row = desk.locator("[data-row][aria-selected=true]").first.get_attribute("id")
    desk.evaluate("document.querySelector('#orders-sought').setSelectionRange(1, 3)")

    order.fill(2)
    order.filled_in(desk, 2)

    sought = desk.locator("#orders-sought")
    expect(sought).to_be_focused()
    expect(sought).to_have_value("cond")
    assert sought.evaluate("(one) => [one.selectionStart, one.selectionEnd]") == [1, 3]
    assert desk.locator("[data-row][aria-selected=true]").first.get_attribute("id") == row


def test_an_update_keeps_the_rows_it_does_not_change(desk, order):
    is_calm(desk)
    desk.evaluate(f"document.querySelector('{order.row}').mark = 'the same'")
    desk.locator(order.row).focus()

    order.fill(1)
    order.filled_in(desk, 1)

    assert desk.evaluate(f"document.querySelector('{order.row}').mark") == "the same"
    expect(desk.locator(order.row)).to_be_focused()


def test_a_screen_reader_hears_a_count_and_not_every_account(desk, order):
    is_calm(desk)
    desk.evaluate(
        """() => {
          window.said = [];
          const said = document.querySelector("#said");
          const listen = () => window.said.push(said.textContent);
          new MutationObserver(listen).observe(said, { childList: true, characterData: true,
            subtree: true });
        }"""
    )

    order.fill(12)
    order.filled_in(desk, 12)
    desk.wait_for_timeout(3_500)

    said = desk.evaluate("window.said")
    assert f"Broadcast {order.number}: 12 of 45 filled" in said[-1]
    assert len(said) <= 3
