"""Events out and a saved order in, on the running site: its workers tell, sign and mail."""

import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Page

from tests.e2e.browsing import sign_in
from tests.e2e.site import Site
from tests.support.receiving import ReceiverServer, receiving
from tests.support.smtp_sink import SmtpSink, smtp_sink
from tests.support.stack import MANAGE, PASSWORD, Stack, free_ports

OWNER = "owner"
PREPARE = f"""
from accounts.models import User
from orders.models import SavedOrder
User.objects.create_user({OWNER!r}, password={PASSWORD!r}, role="ADMIN")
SavedOrder.objects.create(agent=User.objects.get(username="agent"), name="Ten", ticket={{
    "strategy": "EQUITY", "legs": [{{"symbol": "AAPL", "instruction": "BUY", "ratio": 1}}],
    "order_type": "MARKET", "contracts": 10, "accounts": "active"}})
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[ReceiverServer]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def mailbox() -> Iterator[SmtpSink]:
    with smtp_sink() as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory, receiver, mailbox) -> Iterator[Site]:
    """Three accounts, hooks let in, and somebody to tell."""
    stack = Stack(
        tmp_path_factory.mktemp("home"),
        *free_ports(),
        DEMO_TRADE="0",
        DEMO_ACCOUNTS="3",
        TRADESWIM_HOOK_IN="1",
        TRADESWIM_WEBHOOKS_TO=receiver.url.removesuffix("/in"),
        TRADESWIM_EMAIL_URL=f"smtp://127.0.0.1:{mailbox.port}",
        TRADESWIM_ALERT_TO="agent@example.com",
    )
    try:
        made = Site(stack, stack.wait_until_ready())
        command = [sys.executable, str(MANAGE), "shell", "-c", PREPARE]
        subprocess.run(command, env=stack.environment, check=True, capture_output=True)
        yield made
    finally:
        if stack.process.poll() is None:
            stack.stop()


@pytest.fixture
def owner(page: Page, site: Site) -> Page:
    sign_in(page, site.url, OWNER, PASSWORD)
    page.goto(site.url + "/settings/hooks/")
    return page


@pytest.mark.timeout(240)
def test_an_order_from_outside_is_placed_and_told_of_and_so_is_a_freeze(
    owner: Page, site: Site, receiver: ReceiverServer, mailbox: SmtpSink
):
    make_receiver(owner, receiver)
    hook, secret = make_hook(owner)
    site.program.paper("faults", {"fault": "reject", "times": 1})

    answer = place(site, hook, secret)

    assert answer.status_code == 201, answer.text
    pk = answer.json()["id"]
    site.stack.wait_for(lambda: told(receiver, "order.rejected", pk), 40)
    site.stack.wait_for(lambda: told(receiver, "order.filled", pk), 40)
    site.stack.wait_for(lambda: told(receiver, "alarm", None), 40)
    assert all(one.is_signed for one in receiver.got)
    assert len({one.key for one in receiver.got}) == len(receiver.got)
    site.stack.wait_for(lambda: mailbox.mails, 40)
    subjects = [str(letter["Subject"]) for letter in mailbox.mails]
    assert any("ORDERS_REJECTED" in subject for subject in subjects)
    owner.goto(site.url + "/desk/alarms/")
    assert "E-mail:" in owner.locator("#main").inner_text()
    owner.goto(site.url + "/settings/hooks/")
    owner.get_by_role("link", name=f"Broadcast {pk}").click()
    assert secret not in site.stack.output()
    assert receiver.secret not in site.stack.output()

    command = [sys.executable, str(MANAGE), "freeze", "--why", "a drill"]
    subprocess.run(command, env=site.stack.environment, check=True, capture_output=True)

    site.stack.wait_for(lambda: "mode.changed" in receiver.kinds, 40)
    site.stack.wait_for(
        lambda: any("FROZEN" in str(letter["Subject"]) for letter in mailbox.mails), 40
    )


def make_receiver(owner: Page, receiver: ReceiverServer) -> None:
    owner.get_by_label("Name").nth(1).fill("ops")
    owner.get_by_label("Address").fill(receiver.url)
    owner.get_by_role("button", name="Make receiver").click()
    receiver.secret = owner.locator(".hook-secret code").first.inner_text()
    owner.get_by_role("link", name="I have copied it").click()


def make_hook(owner: Page) -> tuple[str, str]:
    """Make a hook of the agent; return its id and its secret."""
    owner.get_by_label("Name").first.fill("signals")
    owner.get_by_label("Agent").select_option(label="agent")
    owner.get_by_role("button", name="Make hook").click()
    secret = owner.locator(".hook-secret code").first.inner_text()
    return owner.locator(".hook-secret code").nth(1).inner_text(), secret


def place(site: Site, hook: str, secret: str) -> requests.Response:
    """Sign a call as docs/hooks.md says."""
    timestamp, delivery = str(int(time.time())), str(uuid4())
    body = json.dumps({"saved_order": "Ten"}).encode()
    signed = f"v1.{timestamp}.{delivery}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Tradeswim-Hook": hook,
        "Tradeswim-Delivery": delivery,
        "Tradeswim-Timestamp": timestamp,
        "Tradeswim-Signature": f"v1={digest}",
    }
    address = f"{site.url}/api/v1/hooks/saved-order/"
    return requests.post(address, data=body, headers=headers, timeout=10)


def told(receiver: ReceiverServer, kind: str, order: Any) -> bool:
    """Tell whether the receiver knows of it."""
    found = [one.body["data"] for one in receiver.got if one.kind == kind]
    return any(order is None or data["order"] == order for data in found)
