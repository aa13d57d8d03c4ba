"""The builder in a real browser: nothing typed is lost, keys switch and send, nothing crashes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.e2e.site import Site
from tests.e2e.test_every_page import GRAVE, RULES

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def builder(desk: Page, site: Site) -> Locator:
    """The dialog of a new option order, opened by its key."""
    desk.goto(site.url)
    desk.keyboard.press("n")
    dialog = desk.locator("#modal")
    expect(dialog.locator(".payoff")).to_be_visible()
    return dialog


def grave(page: Page) -> list[str]:
    """Return what stands seriously between anybody and the page."""
    found = Axe().run(page, options={"runOnly": RULES["runOnly"]}).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in GRAVE
    ]


def test_keys_switch_the_strategy_and_the_focus_follows(builder, page):
    for key, fields in (("v", "lower"), ("o", "strike"), ("c", "put_wing"), ("v", "upper")):
        page.keyboard.press(key)
        expect(builder.locator(f"[name={fields}]")).to_be_visible()

    expect(builder.locator("[name=strategy]:checked")).to_have_value("VERTICAL")
    assert grave(page) == []


def test_typed_text_and_focus_survive_the_checks_of_every_key(builder, page):
    limit = builder.locator("[name=limit]")
    limit.fill("")
    limit.press_sequentially("7.35", delay=70)

    expect(builder.locator(".field-limit .error")).to_contain_text("below the width of 5.00")
    expect(limit).to_have_value("7.35")
    expect(limit).to_be_focused()
    assert grave(page) == []


def test_buttons_beside_a_typed_limit_set_it_and_keep_the_focus(builder, page):
    limit, up = builder.locator("[name=limit]"), builder.locator("button[value=up]")
    limit.fill("7.35")
    limit.press("Tab")

    up.click()
    expect(limit).to_have_value("7.40")
    expect(up).to_be_focused()
    builder.locator("button[value=mid]").click()
    expect(limit).not_to_have_value("7.40")


def test_a_click_in_the_chain_moves_body_and_wing(builder):
    wing, body = builder.locator("[name=put_wing]"), builder.locator("[name=put_body]")
    before = int(body.input_value())

    builder.locator(f"button[value='put:{before - 5}']").click()

    expect(body).to_have_value(str(before - 5))
    expect(wing).to_have_value(str(before - 10))


def test_a_trade_is_built_reviewed_and_sent_by_keys_alone(builder, page):
    builder.locator("[name=contracts]").fill("2")
    builder.locator("[name=contracts]").press("Enter")
    send = builder.locator("button", has_text="SEND TO 45 ACCOUNTS")
    expect(send).to_be_focused()
    assert grave(page) == []

    page.keyboard.press("Enter")  # too early: what was meant for the step before sends nothing
    expect(send).to_be_visible()
    page.wait_for_timeout(450)
    page.keyboard.press("Enter")

    expect(builder).not_to_be_visible()
    expect(page.locator("#toasts")).to_contain_text("is on its way")
    expect(page.locator("#strip")).to_contain_text("Iron condor", timeout=10_000)


def test_back_from_the_review_keeps_the_ticket(builder):
    builder.locator("[name=accounts]").select_option("except")
    builder.locator(".picker input").first.check()
    builder.locator("[name=contracts]").fill("3")
    builder.locator("footer .btn-primary").click()
    expect(builder.locator("button", has_text="SEND TO 44 ACCOUNTS")).to_be_visible()

    builder.locator("button", has_text="Back").click()

    expect(builder.locator("[name=contracts]")).to_have_value("3")
    expect(builder.locator(".picker input").first).to_be_checked()


def test_a_saved_order_is_loaded_by_its_key_into_the_review_and_not_sent(builder, page):
    builder.locator("summary", has_text="Save as template").click()
    builder.locator("[name=save-name]").fill("Every week")
    builder.locator(".save .btn").click()
    expect(page.locator("#toasts")).to_contain_text("key 1 opens its review")
    page.keyboard.press("Escape")
    expect(page.locator("#saved-orders")).to_contain_text("Every week")

    page.keyboard.press("1")

    expect(page.locator("#modal button", has_text="SEND TO 45 ACCOUNTS")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#modal")).not_to_be_visible()
