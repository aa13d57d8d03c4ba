"""Write every page and state to var/screenshots, for people: `make screenshots`.

`--url … --password …` takes them of a running installation instead of one of its own, `--only
history` those whose name begins so.
"""

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page

from tests.e2e.browsing import CONTEXT, chromium, sign_in
from tests.support.stack import PASSWORD, Program, Stack, free_ports

FOLDER = Path(__file__).resolve().parents[2] / "var" / "screenshots"
SIZES = ((1366, 768), (1920, 1080), (390, 844))


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


SHARES = {
    "strategy": "EQUITY",
    "order_type": "LIMIT",
    "limit": "190.00",
    "contracts": 10,
    "accounts": "active",
    "legs": [{"symbol": "AAPL", "instruction": "BUY", "ratio": 1}],
    "confirm": ["PRICE_AWAY"],
}
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
    Shot("positions", "/positions/"),
    Shot("sets", "/desk/sets/"),
    Shot("history", "/history/"),
    Shot("history-detail", "/history/", click("[data-rows] [data-row] [data-open]")),
    Shot("accounts", "/accounts/"),
    Shot("accounts-edit", "/accounts/", click("a:has-text('Edit')")),
    Shot("status", "/status/"),
    Shot("modes", "/desk/modes/"),
    Shot("unknown", "/desk/unknown/"),
    Shot("alarms", "/desk/alarms/"),
    Shot("close-everything", "/desk/close-everything/"),
    Shot("settings", "/settings/"),
    Shot("admin", "/admin/"),
    Shot("missing", "/nowhere/"),
]


def take(browser: Browser, url: str, password: str, only: str) -> None:
    """Take every picture in every size."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if shot.name.startswith(only)]
    for width, height in SIZES:
        size = {"width": width, "height": height}
        visitor = browser.new_context(**{**CONTEXT, "viewport": size}).new_page()
        agent = browser.new_context(**{**CONTEXT, "viewport": size}).new_page()
        sign_in(agent, url, "agent", password)
        for shot in wanted:
            page = agent if shot.is_signed_in else visitor
            page.goto(url + shot.path)
            page.wait_for_timeout(700)
            shot.do(page)
            path = FOLDER / f"{shot.name}-{width}.png"
            page.screenshot(path=path)
            print(path)


@contextmanager
def installation() -> Iterator[str]:
    """Start one with a past, broadcasts that work and one that is filled; return its address."""
    with TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "home", *free_ports(), DEMO_TRADE="1")
        try:
            ready = stack.wait_until_ready()
            stack.wait_for(lambda: "  page " in stack.output())
            _fill(stack)
            _trade(Program(ready))
            yield ready["url"]
        finally:
            stack.stop()


def _fill(stack: Stack) -> None:
    environment = {
        **os.environ,
        "TRADESWIM_HOME": str(stack.home),
        "DJANGO_SETTINGS_MODULE": "tradeswim.settings.dev",
    }
    command = [sys.executable, "-m", "tests.support.fill_history", "--broadcasts", "150"]
    subprocess.run(command, env=environment, check=True)


def _trade(program: Program) -> None:
    """Leave some orders filled, some partly filled, some working, one rejected, one unknown."""
    accounts = [one["hash"] for login in program.paper("logins") for one in login["accounts"]]
    program.post_order(program.condor())
    program.paper("market", {"fills": "manual"})
    fault = {"method": "POST", "path": "/orders", "times": 1}
    program.paper("faults", {**fault, "fault": "reject", "account": accounts[3]})
    program.paper("faults", {**fault, "fault": "drop_after", "account": accounts[17]})
    _fill_some(program, {**program.condor(), "contracts": 2})
    _fill_some(program, SHARES)


def _fill_some(program: Program, ticket: dict[str, Any]) -> None:
    """Send a ticket, and fill it in every third account where it works."""
    order = program.post_order(ticket).json()["id"]
    sent = program.wait_for_order(order, "WORKING", "PARTIAL", "NEEDS_AGENT")
    working = [one["broker_order_id"] for one in sent["accounts"] if one["status"] == "WORKING"]
    for number in working[::3]:
        fill = {"order_id": number, "quantity": ticket["contracts"], "price": ticket["limit"]}
        program.paper("fill", fill)


if __name__ == "__main__":
    options = ArgumentParser(description=__doc__)
    options.add_argument("--url")
    options.add_argument("--password", default=PASSWORD)
    options.add_argument("--only", default="")
    given = options.parse_args()
    with chromium() as browser:
        if given.url:
            take(browser, given.url, given.password, given.only)
        else:
            with installation() as url:
                take(browser, url, PASSWORD, given.only)
