"""Connecting logins as a person does: by hand, ten in a row, and by the browser of the house."""

import sqlite3
import time
from contextlib import closing
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site

pytestmark = pytest.mark.timeout(240)

BY_HAND_S = 20
TEN = 10
DUE = """
UPDATE accounts_brokerlogin SET status = 'LOGIN_REQUIRED'
WHERE label BETWEEN 'Paper 011' AND 'Paper 020'
"""


def people(site: Site) -> dict[str, Any]:
    """Return the users of the paper broker by the key of their app."""
    return {one["app_key"]: one for one in site.program.paper("logins")}


def go_through(page: Page, person: dict[str, Any]) -> None:
    page.get_by_role("textbox", name="Login ID").fill(person["user"])
    page.get_by_label("Password", exact=True).fill(person["password"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("spinbutton").fill(pyotp.TOTP(person["totp_secret"]).now())
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Security Preference").wait_for()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("heading", name="Select accounts").wait_for()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Done").click()


def write(site: Site, sql: str) -> None:
    path = site.stack.home / "db.sqlite3"
    with closing(sqlite3.connect(path, timeout=20)) as database, database:
        database.execute(sql)


def test_a_login_is_connected_by_hand_in_seconds(desk, site):
    desk.goto(f"{site.url}/logins/")
    desk.get_by_role("link", name="Paper 003").click()
    person = next(one for one in people(site).values() if one["label"] == "Paper 003")
    began = time.monotonic()

    desk.get_by_role("button", name="Connect").first.click()
    go_through(desk, person)

    expect(desk.get_by_text("Paper 003 is connected for seven days.")).to_be_visible()
    assert time.monotonic() - began < BY_HAND_S


def test_ten_due_logins_are_one_press_and_ten_walks(desk, site):
    write(site, DUE)
    desk.goto(f"{site.url}/logins/")
    everybody = people(site)
    keys: list[str] = []
    desk.on("request", lambda one: keys.append(one.url) if "/oauth/authorize?" in one.url else None)

    desk.get_by_role("button", name=f"Connect {TEN} due logins").click()
    for walked in range(1, TEN + 1):
        while len(keys) < walked:
            desk.wait_for_timeout(50)
        key = keys[-1].split("client_id=")[1].split("&")[0]
        go_through(desk, everybody[key])

    desk.wait_for_selector("#login-title")
    desk.goto(f"{site.url}/logins/")
    assert len(set(keys)) == TEN
    expect(desk.locator("#logins").get_by_text("Sign in again")).to_have_count(0)


def test_the_browser_of_the_house_signs_in_when_it_is_told_to(desk, site):
    person = next(one for one in people(site).values() if one["label"] == "Paper 030")
    desk.goto(f"{site.url}/logins/")
    desk.get_by_role("link", name="Paper 030").click()
    desk.get_by_label("User name", exact=True).fill(person["user"])
    desk.get_by_label("Password", exact=True).fill(person["password"])
    desk.get_by_label("TOTP secret", exact=True).fill(person["totp_secret"])
    desk.get_by_role("button", name="Save").click()
    desk.get_by_role("button", name="Switch it on").click()
    desk.get_by_role("button", name="Sign in now").click()

    until = time.monotonic() + 90
    while not desk.get_by_role("cell", name="Arrived").count():
        assert time.monotonic() < until, site.stack.output()[-3000:]
        desk.wait_for_timeout(1000)
        desk.reload()
    said = site.stack.output() + "".join(
        path.read_text(errors="replace") for path in (site.stack.home / "logs").glob("*")
    )
    assert [one for one in ("password", "totp_secret", "app_secret") if person[one] in said] == []
