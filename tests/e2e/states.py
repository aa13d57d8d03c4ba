"""Every page and state of the site that a person may see: where it is, and how it comes about."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page


@dataclass(frozen=True)
class Shot:
    """One state of one page: where it is, and what is done there before the picture is taken."""

    name: str
    path: str
    do: Callable[[Page], object] = lambda page: None
    is_signed_in: bool = True


def press(*keys: str) -> Callable[[Page], object]:
    """Press keys one after the other, then wait until nothing is asked of the server."""

    def do(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(1200)

    return do


def click(selector: str) -> Callable[[Page], object]:
    """Click the first of these, if there is one."""

    def do(page: Page) -> None:
        found = page.locator(selector).first
        if found.count():
            found.click()
            page.wait_for_timeout(1200)

    return do


SHOTS = [
    Shot("sign-in", "/", is_signed_in=False),
    Shot("desk", "/"),
    Shot("desk-keys", "/", press("?")),
    Shot("desk-builder", "/", press("n")),
    Shot("desk-builder-vertical", "/", press("n", "v")),
    Shot("desk-exit", "/", click("#sets a.btn-exit")),
    Shot("desk-cancel", "/", click("#orders a:has-text('Cancel')")),
    Shot("desk-problems", "/?show=problems"),
    Shot("stocks", "/stocks/"),
    Shot("stocks-review", "/stocks/", click("#ticket footer .btn-primary")),
    Shot("positions", "/positions/"),
    Shot("positions-symbols", "/positions/?view=symbols&sort=-value"),
    Shot("positions-elsewhere", "/positions/elsewhere/"),
    Shot("sets", "/desk/sets/"),
    Shot("history", "/history/"),
    Shot("history-detail", "/history/", click("[data-rows] [data-row] [data-open]")),
    Shot("accounts", "/accounts/"),
    Shot("accounts-edit", "/accounts/", click("a:has-text('Edit')")),
    Shot("logins", "/logins/"),
    Shot("login", "/logins/", click("#logins a[data-open]")),
    Shot("login-new", "/logins/new/"),
    Shot("record", "/record/"),
    Shot("status", "/status/"),
    Shot("modes", "/desk/modes/"),
    Shot("unknown", "/desk/unknown/"),
    Shot("alarms", "/desk/alarms/"),
    Shot("hooks", "/settings/hooks/"),
    Shot("close-everything", "/desk/close-everything/"),
    Shot("settings", "/settings/"),
    Shot("second-factors", "/settings/second-factors/"),
    Shot(
        "second-factors-app", "/settings/second-factors/", click("button:has-text('Set up an app')")
    ),
    Shot("prove", "/prove/"),
    Shot("sessions", "/settings/sessions/"),
    Shot("admin", "/admin/"),
    Shot("missing", "/nowhere/"),
]
