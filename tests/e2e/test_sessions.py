"""A page that nobody uses says that it ends, and ends; what it asks for by itself is no use."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.site import Site
from tests.support.stack import Stack, free_ports

pytestmark = pytest.mark.timeout(240)
IDLE_S = 40
# The panels of a page renew themselves at least this often.
POLLED_MS = 16_000
# A browser keeps six connections, and each open page's stream is one.
TOGETHER = (
    ("/stocks/", "/positions/", "/history/", "/accounts/"),
    ("/logins/", "/status/", "/desk/sets/", "/desk/unknown/"),
    ("/", "/positions/elsewhere/", "/settings/sessions/"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """An installation on which a page lasts seconds without use."""
    stack = Stack(
        tmp_path_factory.mktemp("home"),
        *free_ports(),
        DEMO_TRADE="0",
        DEMO_ACCOUNTS="5",
        TRADESWIM_SESSION_IDLE_S=str(IDLE_S),
    )
    try:
        yield Site(stack, stack.wait_until_ready())
    finally:
        if stack.process.poll() is None:
            stack.stop()


def test_a_page_that_nobody_uses_warns_stays_when_told_so_and_ends_with_what_is_typed(desk: Page):
    ending, ended = desk.locator("#ending"), desk.locator("#ended")
    expect(desk.locator("#lamp b")).to_have_text("LIVE", timeout=20_000)
    desk.get_by_role("searchbox").first.fill("half typed")
    expect(ending).to_be_hidden()

    expect(ending).to_be_visible(timeout=IDLE_S * 1000)
    expect(ending).to_contain_text("You will be signed out in 0:")
    ending.get_by_role("button", name="Stay signed in").click()
    expect(ending).to_be_hidden()

    desk.wait_for_timeout(IDLE_S * 500)  # past the end that there was before
    expect(ended).to_be_hidden()
    expect(ending).to_be_visible(timeout=IDLE_S * 1000)
    expect(ended).to_be_visible(timeout=IDLE_S * 1000)
    expect(ended).to_contain_text("Your session has ended.")
    expect(ending).to_be_hidden()
    expect(desk.locator("#lamp b")).to_have_text("SIGNED OUT")
    expect(desk.get_by_role("searchbox").first).to_have_value("half typed")


@pytest.mark.parametrize("paths", TOGETHER, ids=" ".join)
def test_what_a_page_asks_for_by_itself_is_marked(desk: Page, site: Site, paths):
    asked: list[Request] = []
    for path in paths:
        desk.context.new_page().goto(site.url + path)
    desk.wait_for_timeout(2_000)
    desk.context.on("request", lambda one: asked.append(one))

    desk.wait_for_timeout(POLLED_MS)

    by_itself = [one for one in asked if one.resource_type in {"fetch", "xhr"}]
    assert [one.url for one in by_itself if not is_marked(one)] == []
    assert {where(one) for one in by_itself} >= {site.url + path for path in paths}


def test_what_a_person_does_is_not_marked(desk: Page):
    expect(desk.locator("#lamp b")).to_have_text("LIVE", timeout=20_000)

    with desk.expect_request("**/desk/ticket/**") as opened:
        desk.keyboard.press("n")
    expect(desk.locator("#modal")).to_be_visible()
    desk.keyboard.press("Escape")
    with desk.expect_request(re.compile(r"//[^/]+/\?.*q=c")) as typed:
        desk.get_by_role("searchbox").first.press_sequentially("c")

    assert not is_marked(typed.value)
    assert not is_marked(opened.value)


def is_marked(request: Request) -> bool:
    return request.all_headers().get("x-unasked") == "1"


def where(request: Request) -> str:
    return request.all_headers().get("hx-current-url", "")


def test_a_page_whose_session_is_ended_in_another_browser_says_so_at_once(
    desk: Page, another_desk, site: Site
):
    expect(desk.locator("#lamp b")).to_have_text("LIVE", timeout=20_000)
    other = another_desk()
    other.goto(site.url + "/settings/")
    other.get_by_role("link", name="Sessions").click()

    other.get_by_role("button", name="End all others").click()

    expect(desk.locator("#ended")).to_be_visible(timeout=3_000)
    expect(other.locator("#toasts")).to_contain_text("You are signed in here only.")
