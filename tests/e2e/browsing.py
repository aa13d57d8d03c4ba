"""A real Chromium on the running site: how it is started, signed in, and watched."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright, Request, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Without these a browser talks to its maker at every start.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
CONTEXT: dict[str, Any] = {
    "viewport": {"width": 1366, "height": 768},
    "reduced_motion": "reduce",
    "color_scheme": "dark",
    "locale": "en-US",
    "timezone_id": "America/New_York",
}
# Kept outside the page, for a page that is left takes its own memory with it.
WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP: " + event.effectiveDirective + " " + event.blockedURI));
"""


def launch_options() -> dict[str, Any]:
    """Return how Chromium is started. Errors: RuntimeError if it is not there."""
    if not Path(CHROMIUM).exists():
        raise RuntimeError(f"There is no {CHROMIUM}: apt-get install chromium, or set CHROMIUM.")
    return {"executable_path": CHROMIUM, "args": ARGUMENTS}


class Watch:
    """What a browser had to complain of: refused by the policy of the site, or broken scripts."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def over(self, context: BrowserContext) -> None:
        """Watch every page of this context from now on."""
        context.add_init_script(WATCH)
        context.on("page", self._over_page)

    def check(self) -> None:
        assert not self.complaints, "\n".join(self.complaints)

    def _over_page(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", lambda message: self._hear(message.type, message.text))

    def _hear(self, kind: str, text: str) -> None:
        if text.startswith("CSP: ") or (kind == "error" and "Content Security Policy" in text):
            self.complaints.append(text)


def sign_in(page: Page, url: str, user: str, password: str) -> None:
    """Sign in as a person does, and wait for the desk."""
    page.goto(url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#main")


def posts(page: Page, address: str) -> list[str]:
    """Return a list that grows with every POST to an address like this pattern."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and re.search(address, request.url):
            sent.append(request.url)

    page.on("request", note)
    return sent


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser for a program that is no test."""
    with sync_playwright() as playwright:
        yield _launched(playwright)


def _launched(playwright: Playwright) -> Any:
    return playwright.chromium.launch(**launch_options())
