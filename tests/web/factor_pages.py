"""What is done again and again on the pages of second factors."""

import html
import re

from accounts.models import AuditEvent
from accounts.services.proving import FRESH_S
from tests.support.make import PASSWORD

PAGE = "/settings/second-factors/"
SECOND = "/sign-in/second/"


def sign_in(visitor, *, password=PASSWORD, after=""):
    body = {"username": "agent", "password": password, "next": after}
    return visitor.post("/sign-in/", body)


def is_in(visitor):
    return visitor.get("/settings/").status_code == 200


def options_on(browser, address):
    page = browser.get(address).content.decode()
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def add_passkey(browser, device, name="Key"):
    answer = device.create(options_on(browser, PAGE))
    return browser.post(f"{PAGE}passkeys/", {"name": name, "passkey": answer})


def kinds(user):
    events = AuditEvent.objects.filter(subject=f"user:{user.pk}").order_by("id")
    return list(events.values_list("kind", "new"))


def grow_old(browser):
    session = browser.session
    session["proved_at"] -= FRESH_S + 1
    session.save()
