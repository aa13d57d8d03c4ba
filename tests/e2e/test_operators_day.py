"""An operator's first day, in one piece: from the sign-in to the history's file, no manual read."""

import csv
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site

pytestmark = pytest.mark.timeout(240)


def test_from_the_sign_in_to_a_filled_condor_its_exit_and_its_file(desk: Page, site: Site):
    site.program.paper("market", {"speed": 0})

    # The empty desk says what to do, and the button does it.
    expect(desk.locator("#main")).to_contain_text("No open orders")
    desk.get_by_role("link", name="OPTION N").click()
    builder = desk.locator("#modal")
    expect(builder.locator(".payoff")).to_be_visible()
    expect(builder).to_contain_text("Max loss")

    # The natural price fills at once; the review says who gets what.
    builder.locator("button[value=natural]").click()
    builder.get_by_role("button", name="Review order").click()
    send = builder.get_by_role("button", name="SEND TO 45 ACCOUNTS")
    expect(send).to_be_visible()
    desk.wait_for_timeout(450)  # what comes sooner was meant for the step before
    send.click()
    expect(builder).to_be_hidden()

    # It is watched, not reloaded.
    expect(desk.locator("#main")).to_contain_text(re.compile(r"45 filled"), timeout=20_000)
    expect(desk.locator("#main")).to_contain_text(re.compile(r"45 sent in \d+ ms"))

    # The set has an EXIT; the dialog says what it sends.
    leave(desk, site)

    # The history has both, with every account, and gives a file of exactly that.
    desk.keyboard.press("g")
    desk.keyboard.press("h")
    desk.wait_for_url("**/history/**")
    expect(desk.locator("#history [data-row]")).to_have_count(2)
    # The broker is done before this program has read it.
    filled = desk.locator("#history [data-row]", has_text=re.compile(r"45\s*/\s*45"))
    expect(filled).to_have_count(2, timeout=60_000)
    rows = file_of(desk)
    assert [row["accounts_filled"] for row in rows] == ["45", "45"]
    assert {row["purpose"] for row in rows} == {"OPEN", "CLOSE"}


def leave(desk: Page, site: Site) -> None:
    """Press EXIT, confirm it, and wait until nothing is held."""
    desk.locator("#sets a.btn-exit, #sets button.btn-exit").first.click()
    dialog = desk.locator("#modal")
    button = dialog.get_by_role("button", name=re.compile("EXIT 45 accounts"))
    expect(button).to_be_visible()
    desk.wait_for_timeout(450)
    button.click()
    until = time.monotonic() + 60
    while any(site.program.paper("positions").values()):
        assert time.monotonic() < until, "the positions are not closed"
        desk.wait_for_timeout(500)


def file_of(desk: Page) -> list[dict[str, str]]:
    """Download the history as it is shown; return its rows."""
    with desk.expect_download() as download:
        desk.get_by_role("link", name="CSV").first.click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
