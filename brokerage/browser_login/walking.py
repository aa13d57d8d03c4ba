"""Walk a browser from the app's address to its callback, page by page.

What was typed must reach nobody: exceptions of the browser name what they were to fill in, so none
leaves this module; nothing is traced, recorded or logged, and pictures are taken of blanked pages.
"""

import os
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from brokerage.browser_login.journey import Credentials, Ending, Journey, Outcome
from brokerage.browser_login.pages import Controls, Kind, Sight, look

ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
NEEDED_TO_RUN = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "DISPLAY", "XAUTHORITY")
LOOK_EVERY_S = 0.2
# A code that is about to change is not typed any more.
CODE_LEFT_S = 4
MOST_NOTICES = 3
BLANK = """
() => document.querySelectorAll("input, textarea, [data-private]").forEach((one) => {
  if ("value" in one) one.value = "";
  else one.textContent = "";
})
"""


class _Stop(Exception):
    """The walk ends here."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


def walk(
    journey: Journey,
    credentials: Credentials,
    *,
    browser_path: str | None,
    is_headed: bool = False,
    has_sandbox: bool = True,
) -> Outcome:
    """Sign in once, link the accounts, and return the address the browser was sent back to.

    Args:
        browser_path: the browser's program; None takes the one Playwright installed.
        is_headed: show a window (under Xvfb, say) instead of running without a screen.
    """
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browser_path,
                headless=not is_headed,
                chromium_sandbox=has_sandbox,
                args=list(ARGUMENTS),
                env=_bare_environment(),
            )
            try:
                return _Walk(journey, credentials).run(browser)
            finally:
                browser.close()
    except Exception:  # its text may hold what was typed
        return Outcome(Ending.BROKEN, "")


def _bare_environment() -> dict[str, str | float | bool]:
    """Return what a browser needs to run: a page that breaks out of it finds no secret of ours."""
    return {name: os.environ[name] for name in NEEDED_TO_RUN if name in os.environ}


class _Walk:
    """One attempt in a browser context of its own."""

    def __init__(self, journey: Journey, credentials: Credentials) -> None:
        self._journey, self._credentials = journey, credentials
        self._until = time.monotonic() + journey.timeout_s
        self._callback = ""
        self._seen: list[Kind] = []
        self._steps: dict[Kind, Callable[[Page, Controls], None]] = {
            Kind.LOGIN: self._log_in,
            Kind.CODE: self._type_code,
            Kind.PICKER: self._ask_phone,
            Kind.DEVICE: lambda _, controls: controls.find("device_go_on").click(),
            Kind.NOTICE: lambda _, controls: controls.find("go_on").click(),
            Kind.CONSENT: self._agree,
            Kind.ACCOUNTS: self._pick_accounts,
            Kind.CONFIRMATION: lambda _, controls: controls.find("done").click(),
        }

    def run(self, browser: Browser) -> Outcome:
        context = browser.new_context(accept_downloads=False, service_workers="block")
        context.set_default_timeout(self._journey.page_timeout_s * 1000)
        page = context.new_page()
        sight = Sight(Kind.LOADING, "")
        try:
            self._fence(context)
            page.goto(self._journey.authorize_url, wait_until="commit")
            while not self._callback:
                sight = self._next_page(page, sight)
                if not self._callback:
                    self._take_step(page, sight)
            return Outcome(Ending.ARRIVED, sight.route, callback=self._callback)
        except _Stop as stop:
            return Outcome(stop.ending, _route(page), screenshot=_picture(page))
        except Exception:  # its text may hold what was typed
            if self._callback:
                return Outcome(Ending.ARRIVED, sight.route, callback=self._callback)
            return Outcome(Ending.TOO_SLOW, _route(page), screenshot=_picture(page))
        finally:
            context.close()

    def _fence(self, context: BrowserContext) -> None:
        """Let the browser ask nobody but the broker, and catch it on its way back."""

        def decide(route: Route) -> None:
            address = route.request.url
            if address.startswith(f"{self._journey.callback_url}?"):
                self._callback = address
                route.abort()
            elif _is_of(address, self._journey.host):
                route.continue_()
            else:
                route.abort()

        context.route("**/*", decide)

    def _next_page(self, page: Page, last: Sight) -> Sight:
        """Wait for another page than the last one, or for a complaint on it."""
        patience = time.monotonic() + self._patience(last)
        while not self._callback:
            sight = look(page)
            if sight.kind is not Kind.LOADING and (sight.route != last.route or sight.complaint):
                return sight
            if sight.kind is Kind.NOTICE and last.kind is Kind.NOTICE:
                return sight  # the next notice has the same route
            if time.monotonic() > min(patience, self._until):
                raise _Stop(self._verdict(sight, last))
            page.wait_for_timeout(LOOK_EVERY_S * 1000)
        return last

    def _patience(self, last: Sight) -> float:
        if last.kind is Kind.PHONE:
            return self._journey.phone_wait_s
        return self._journey.page_timeout_s

    @staticmethod
    def _verdict(sight: Sight, last: Sight) -> Ending:
        """Say why nothing goes on: a known route with something missing is a page that changed."""
        if last.kind is Kind.PHONE:
            return Ending.PHONE_NEEDED
        is_other = sight.route not in {"", last.route} and not sight.is_empty
        return Ending.UNKNOWN_PAGE if is_other else Ending.TOO_SLOW

    def _take_step(self, page: Page, sight: Sight) -> None:
        """Do what the page wants; each page once, for a second time means that it was refused."""
        self._check(sight)
        self._seen.append(sight.kind)
        if sight.kind is not Kind.PHONE:  # it goes on by itself
            self._steps[sight.kind](page, Controls(page))

    def _check(self, sight: Sight) -> None:
        if sight.says_locked:
            raise _Stop(Ending.LOCKED)
        if sight.kind is Kind.REFUSED:
            raise _Stop(Ending.REFUSED)
        if sight.kind is Kind.UNKNOWN:
            raise _Stop(Ending.UNKNOWN_PAGE)
        again = self._seen.count(sight.kind)
        if sight.kind is Kind.NOTICE:
            if again >= MOST_NOTICES:
                raise _Stop(Ending.UNKNOWN_PAGE)
        elif again or sight.complaint:
            raise _Stop(REFUSALS.get(sight.kind, Ending.UNKNOWN_PAGE))

    def _log_in(self, page: Page, controls: Controls) -> None:
        for name, text in (
            ("user_name", self._credentials.user_name),
            ("password", self._credentials.password),
        ):
            controls.find(name).focus()
            page.keyboard.insert_text(text)  # `fill` would name the text in its errors
        controls.find("log_in").click()

    def _type_code(self, page: Page, controls: Controls) -> None:
        if not self._credentials.totp_secret:
            raise _Stop(Ending.PHONE_NEEDED)
        codes = pyotp.TOTP(self._credentials.totp_secret)
        left = codes.interval - time.time() % codes.interval
        if left < CODE_LEFT_S:
            page.wait_for_timeout((left + 0.5) * 1000)
        controls.find("code").focus()
        page.keyboard.insert_text(codes.now())
        controls.find("go_on").click()

    def _ask_phone(self, _: Page, controls: Controls) -> None:
        if not self._journey.phone_wait_s:
            raise _Stop(Ending.PHONE_NEEDED)
        controls.find("phone").click()

    @staticmethod
    def _agree(_: Page, controls: Controls) -> None:
        controls.find("terms").check()
        controls.find("submit").click()
        controls.find("agree").click()

    def _pick_accounts(self, page: Page, controls: Controls) -> None:
        """Tick the accounts we know; all of them where we know none."""
        boxes = page.locator("#form-container label").filter(has=page.locator("input"))
        for box in boxes.all():
            words = box.inner_text().strip()
            if not self._journey.endings or words.endswith(self._journey.endings):
                box.locator("input").check()
        controls.find("submit").click()


REFUSALS = {Kind.LOGIN: Ending.WRONG_PASSWORD, Kind.CODE: Ending.WRONG_CODE}


def _is_of(address: str, host: str) -> bool:
    name = urlsplit(address).hostname or ""
    return name == host or name.endswith(f".{host}")


def _route(page: Page) -> str:
    """Return where a browser is: never the query, which may hold a code."""
    return urlsplit(page.url).fragment.partition("?")[0]


def _picture(page: Page) -> bytes | None:
    """Take a picture of a page after everything typed is blanked; None if that fails."""
    try:
        page.evaluate(BLANK)
        return page.screenshot(mask=[page.locator("input, [data-private]")], timeout=5000)
    except Exception:  # a picture is worth no further trouble
        return None
