"""Passkeys in a real Chromium, on a device that DevTools makes up; and the proof over an open page."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, Route, expect

from tests.e2e.browsing import posts
from tests.e2e.site import Site
from tests.support.stack import PASSWORD

pytestmark = pytest.mark.timeout(180)

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """A virtual authenticator in the browser of a page."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        added = self._send("addVirtualAuthenticator", options=DEVICE)
        self.id = added["authenticatorId"]

    def credentials(self) -> list[Any]:
        found: list[Any] = self._send("getCredentials", authenticatorId=self.id)["credentials"]
        return found

    def verifies(self, is_verified: bool) -> None:
        """Let the person at the device be known to it, or not."""
        self._send("setUserVerified", authenticatorId=self.id, isUserVerified=is_verified)

    def _send(self, method: str, **arguments: Any) -> Any:
        return self.session.send(f"WebAuthn.{method}", arguments)


@pytest.fixture
def by_name(site: Site) -> str:
    """The site under a name: browsers make no passkeys for numeric addresses."""
    return site.url.replace("127.0.0.1", "localhost")


def give_password(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.get_by_label("Username").fill("agent")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.locator(".top details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()


def test_a_passkey_is_made_signs_in_proves_and_goes(page, by_name):
    device = Device(page)
    give_password(page, by_name)
    page.goto(f"{by_name}/settings/second-factors/")

    page.get_by_label("Name", exact=True).fill("This laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#toasts")).to_contain_text("This laptop is added.")
    assert [key["rpId"] for key in device.credentials()] == ["localhost"]

    sign_out(page)
    give_password(page, by_name)
    expect(page.locator("h1")).to_have_text("Second factor")
    page.goto(by_name)
    expect(page.locator("h1")).to_have_text("Tradeswim sign-in")

    page.goto(f"{by_name}/sign-in/second/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_selector("#fleet")

    signed = device.credentials()[0]["signCount"]
    _prove_over_a_form(page, by_name)
    assert device.credentials()[0]["signCount"] > signed

    page.goto(f"{by_name}/settings/second-factors/")
    page.get_by_role("button", name="Remove This laptop").click()
    expect(page.locator("#toasts")).to_contain_text("This laptop is removed.")


def _prove_over_a_form(page: Page, url: str) -> None:
    """Send a form that matters too late: the proof opens over it, and nothing typed is lost."""
    page.goto(f"{url}/logins/new/")
    page.get_by_label("Label").fill("Typed before the proof")
    for secret in ("App key", "App secret"):
        page.get_by_label(secret).fill("a secret that is not typed twice")
    page.locator("form[data-prove-after]").evaluate("form => form.dataset.proveAfter = '1'")
    page.get_by_role("button", name="Keep, then connect").click()

    dialog = page.locator("#modal")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Use a passkey").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("press again")
    page.get_by_role("button", name="Keep, then connect").click()
    expect(page.locator("#toasts")).to_contain_text("Typed before the proof is kept.")


def test_a_device_that_does_not_know_the_person_lets_nobody_in(page, by_name):
    device = Device(page)
    give_password(page, by_name)
    page.goto(f"{by_name}/settings/second-factors/")
    page.get_by_label("Name", exact=True).fill("Found in a drawer")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#toasts")).to_contain_text("is added.")
    sign_out(page)
    device.verifies(False)

    give_password(page, by_name)
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.locator("[data-passkey-said]")).to_contain_text("Try once more.")
    page.goto(by_name)
    expect(page.locator("h1")).to_have_text("Tradeswim sign-in")

    device.verifies(True)
    give_password(page, by_name)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_selector("#fleet")
    page.goto(f"{by_name}/settings/second-factors/")
    page.get_by_role("button", name="Remove Found in a drawer").click()
    expect(page.locator("#toasts")).to_contain_text("is removed.")


def test_a_mode_asks_for_the_proof_only_where_it_opens_the_fleet(desk: Page, site: Site) -> None:
    desk.goto(f"{site.url}/desk/modes/")
    desk.route("**/desk/modes/", answer_nothing)
    sent = posts(desk, r"/desk/modes/$")
    form = desk.locator("form.mode-form")
    form.evaluate("form => form.dataset.proveAfter = '1'")
    form.get_by_label("Why").fill("typed before the proof")
    form.get_by_label("Open", exact=True).check()
    form.get_by_role("button", name="Set mode").click()
    expect(desk.locator("#modal").get_by_label("Password")).to_be_visible()
    assert sent == []
    desk.keyboard.press("Escape")
    expect(desk.locator("#modal")).to_be_hidden()
    expect(form.get_by_label("Why")).to_have_value("typed before the proof")

    form.get_by_label("Frozen", exact=True).check()
    with desk.expect_request(lambda asked: asked.method == "POST"):
        form.get_by_role("button", name="Set mode").click()
    assert len(sent) == 1


def answer_nothing(route: Route) -> None:
    """Let no mode be set here: every other test trades on this fleet."""
    if route.request.method == "POST":
        route.fulfill(status=204)
    else:
        route.continue_()
