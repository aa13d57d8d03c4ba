"""The administration in a browser: every page of it under the policy, and what an admin does."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import sign_in
from tests.support.stack import Stack, free_ports

pytestmark = pytest.mark.timeout(180)

ADMIN_PASSWORD = "an administrator's password"
PLACE = "keepers/office"
OFFICE = re.compile(rf"^/{PLACE}/")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An installation with a first admin, and its administration elsewhere."""
    stack = Stack(
        tmp_path_factory.mktemp("home"),
        *free_ports(),
        DEMO_TRADE="0",
        DEMO_ACCOUNTS="3",
        ADMIN_PASSWORD=ADMIN_PASSWORD,
        TRADESWIM_ADMIN_PATH=PLACE,
    )
    try:
        yield stack.wait_until_ready()
    finally:
        if stack.process.poll() is None:
            stack.stop()


@pytest.fixture
def office(page: Page, site) -> Page:
    """The administration, reached as an admin reaches it: by the menu of the desk."""
    sign_in(page, site["url"], "admin", ADMIN_PASSWORD)
    page.locator("details.menu summary").click()
    page.get_by_role("link", name="Administration").click()
    page.wait_for_url(f"**/{PLACE}/")
    return page


def links(page: Page) -> set[str]:
    """Return the addresses of the administration that a page leads to, one order of a list each."""
    found = page.evaluate("[...document.links].map((link) => link.pathname + link.search)")
    return {one for one in found if OFFICE.match(one) and "?" not in one}


def test_every_page_of_the_administration_obeys_the_policy(office, site, watch):
    seen, ahead = set[str](), links(office)
    kinds = set[str]()
    while ahead - seen:
        address = min(ahead - seen)
        seen.add(address)
        kind = re.sub(r"/[0-9a-f-]{1,36}/(change|history)/$", r"/N/\1/", address)
        if kind in kinds:
            continue
        kinds.add(kind)
        answer = office.goto(site["url"] + address)
        assert answer is not None
        assert answer.status == 200, address
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        expect(office.locator(".env")).to_have_text("PAPER")
        ahead |= links(office)
    assert {f"/{PLACE}/accounts/{name}/" for name in ("user", "limit", "token")} <= kinds
    assert len(kinds) >= 20, kinds


def test_an_admin_makes_a_user_a_group_and_a_slower_beat(office, site, watch):
    base = f"{site['url']}/{PLACE}"
    office.goto(f"{base}/accounts/user/add/")
    office.get_by_label("Username").fill("vera")
    office.get_by_label("Role").select_option("EXIT_ONLY")
    for label in ("Password:", "Password confirmation:"):
        office.get_by_label(label, exact=True).fill("a password for vera")
    office.get_by_role("button", name="Save", exact=True).click()
    expect(office.locator("#result_list")).to_contain_text("vera")

    office.goto(f"{base}/accounts/accountgroup/add/")
    office.get_by_label("Name").fill("Family")
    office.locator("#id_members_from option").first.dblclick()
    office.get_by_role("button", name="Save", exact=True).click()
    expect(office.locator("#result_list")).to_contain_text("Family")
    expect(office.locator("#result_list .field-size")).to_have_text("1")

    office.goto(f"{base}/django_celery_beat/periodictask/")
    office.get_by_role("link", name="sync_accounts").click()
    office.get_by_label("Every (seconds)").fill("30")
    office.get_by_role("button", name="Save", exact=True).click()
    expect(office.locator("#result_list")).to_contain_text("every 30 seconds")


def test_no_process_has_the_passwords_in_its_environment(site):
    environments = {
        name: Path(f"/proc/{pid}/environ").read_bytes() for name, pid in site["processes"].items()
    }

    assert b"TRADESWIM_ADMIN_PATH=" in environments["web"]
    assert [name for name, found in environments.items() if b"_PASSWORD" in found] == []


def test_the_usual_address_leads_nowhere(office, site):
    answer = office.goto(f"{site['url']}/admin/")
    assert answer is not None
    assert answer.status == 404
