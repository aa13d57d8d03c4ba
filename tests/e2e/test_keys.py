"""Keys and the settings of a desk: what each key does, and what single letters can be told."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.living import is_calm
from tests.e2e.site import Site

pytestmark = pytest.mark.timeout(240)


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
