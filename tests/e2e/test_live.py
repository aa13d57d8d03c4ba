"""Open pages follow what happens: at once, in every browser, and without disturbing who uses them."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.e2e.conftest import Site

pytestmark = pytest.mark.timeout(240)

# Between the beat that sees a fill and the page: the beats read the broker every 5 s.
SEEN_WITHIN_MS = 15_000
TOGETHER_MS = 1_000
LIVE = re.compile("^LIVE$")
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


@pytest.fixture
def order(site: Site) -> "Working":
    """A condor that works in every account and is filled where a test wants it."""
    site.program.paper("market", {"fills": "manual"})
    return Working(site)


class Working:
    """A broadcast in options whose fills a test decides."""

    def __init__(self, site: Site) -> None:
        self._program = site.program
        self._ticket = site.program.condor()
        self.number = site.program.post_order(self._ticket).json()["id"]
        sent = site.program.wait_for_order(self.number, "WORKING")
        self._numbers = [one["broker_order_id"] for one in sent["accounts"]]

    def send_again(self, *, contracts: int) -> int:
        """Send the same in another size; return its number."""
        number: int = self._program.post_order({**self._ticket, "contracts": contracts}).json()[
            "id"
        ]
        return number

    @property
    def row(self) -> str:
        return f"#order-{self.number}"

    def fill(self, accounts: int) -> None:
        """Fill it in some more accounts."""
        for _ in range(accounts):
            fill = {"quantity": 1, "price": self._ticket["limit"], "order_id": self._numbers.pop()}
            self._program.paper("fill", fill)

    def filled_in(self, page: Page, accounts: int) -> None:
        """Wait until a page shows it filled in so many accounts."""
        cells = page.locator(f"{self.row} .sg .st-filled")
        expect(cells).to_have_count(accounts, timeout=SEEN_WITHIN_MS)


def children_of(process: int) -> list[int]:
    """Return the processes that one started, whichever of its threads did."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def web_of(site: Site) -> int:
    """Return the web server's process; READY names the one of the beginning."""
    names = {
        one: Path(f"/proc/{one}/cmdline").read_bytes()
        for one in children_of(site.stack.process.pid)
    }
    return next(one for one, name in names.items() if b"gunicorn" in name)


class Silence:
    """The site's web server, alive and saying nothing."""

    def __init__(self, master: int) -> None:
        self._processes = [master, *children_of(master)]

    def begin(self) -> None:
        self._send(signal.SIGSTOP)

    def end(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        for process in self._processes:
            os.kill(process, number)


@pytest.fixture
def silence(site: Site) -> Iterator[Silence]:
    """A hand that makes the web server silent; at the end it speaks again."""
    found = Silence(web_of(site))
    yield found
    found.end()


def is_live(page: Page) -> None:
    expect(page.locator("#lamp b")).to_have_text(LIVE, timeout=20_000)


def is_calm(page: Page) -> None:
    """Wait until what the connection caused is over."""
    is_live(page)
    page.wait_for_timeout(600)


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


# --- what goes wrong is said ------------------------------------------------------------------------


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


def test_what_is_sent_on_stale_figures_is_asked_for_once_more(desk, silence):
    is_calm(desk)
    asked: list[str] = []

    def decline(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    desk.on("dialog", decline)
    desk.evaluate(
        """() => {
          const button = document.createElement("button");
          button.dataset.sends = "";
          button.id = "sends";
          button.addEventListener("click", () => (window.sent = true));
          document.querySelector("#main").append(button);
        }"""
    )
    silence.begin()
    expect(desk.locator("#lamp b")).to_have_text("STALE", timeout=50_000)

    desk.evaluate("document.querySelector('#sends').click()")

    assert re.fullmatch(r"What you see is \d+ s old. Send all the same\?", asked[0])
    assert not desk.evaluate("window.sent ?? false")


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


# --- keys -------------------------------------------------------------------------------------------


def test_the_list_of_keys_is_read_off_the_page_and_leaves_with_escape(desk):
    is_calm(desk)
    desk.keyboard.press("?")

    keys = desk.locator("#keys")
    expect(keys).to_be_visible()
    for words in ("New option order", "Filter the orders", "Accounts", "Freeze the fleet"):
        expect(keys).to_contain_text(words)
    desk.keyboard.press("Escape")
    expect(keys).to_be_hidden()


@pytest.mark.parametrize(
    ("keys", "path"), [("ge", "/desk/sets/"), ("gp", "/positions/"), ("ga", "/accounts/")]
)
def test_two_keys_lead_to_another_page(desk, keys, path):
    is_calm(desk)
    for key in keys:
        desk.keyboard.press(key)

    desk.wait_for_url(f"**{path}")


def test_keys_are_off_while_somebody_types(desk):
    is_calm(desk)
    desk.keyboard.press("/")
    desk.keyboard.type("n?")

    expect(desk.locator("#orders-sought")).to_have_value("n?")
    expect(desk.locator("dialog[open]")).to_have_count(0)
    desk.keyboard.press("Escape")
    expect(desk.locator("#orders-sought")).to_have_value("")


def test_single_letters_can_be_switched_off(desk, site):
    set_up(desk, site, lambda: desk.get_by_label("Single letters are keys").uncheck())
    desk.goto(site.url)
    is_calm(desk)

    desk.keyboard.press("n")
    desk.wait_for_timeout(500)

    expect(desk.locator("dialog[open]")).to_have_count(0)
    set_up(desk, site, lambda: desk.get_by_label("Single letters are keys").check())


def test_a_roomy_desk_has_larger_letters_on_every_page(desk, site):
    set_up(desk, site, lambda: desk.get_by_text("Roomy").click())
    desk.goto(site.url)

    assert desk.evaluate("getComputedStyle(document.body).fontSize") == "14px"
    set_up(desk, site, lambda: desk.get_by_text("Compact").click())


def set_up(page: Page, site: Site, choose: Callable[[], Any]) -> None:
    page.goto(site.url + "/settings/")
    choose()
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("text=Saved.")
