"""Adding passkeys, signing in with them, giving them other names."""

import html
import re

import pytest
from django.test import Client

from accounts.domain.words import Role
from accounts.models import Passkey
from tests.support.factors import Device
from tests.support.make import make_user
from tests.web.browsing import text_of
from tests.web.factor_pages import PAGE, SECOND, add_passkey, is_in, kinds, options_on, sign_in

pytestmark = pytest.mark.django_db


def test_a_passkey_is_added_and_signs_in(browser, visitor, user):
    device = Device()

    assert add_passkey(browser, device, name="Ring")["Location"] == PAGE
    assert browser.session["factor"] == "passkey"
    key = Passkey.objects.get()
    assert (key.name, key.transports) == ("Ring", ["usb"])

    assert sign_in(visitor)["Location"] == SECOND
    answer = visitor.post(SECOND, {"passkey": device.get(options_on(visitor, SECOND))})

    assert answer["Location"] == "/"
    assert is_in(visitor)
    assert visitor.session["factor"] == "passkey"
    key.refresh_from_db()
    assert key.sign_count == 1
    assert key.used_at
    assert [kind for kind, _ in kinds(user)] == ["factor added", "second factor used", "sign-in"]


def test_a_passkey_gets_another_name_and_goes(browser, user):
    add_passkey(browser, Device(), name="Ring")
    key = Passkey.objects.get()

    browser.post(f"{PAGE}passkeys/{key.pk}/", {"name": "Drawer"})
    assert Passkey.objects.get().name == "Drawer"

    browser.post(f"{PAGE}passkeys/{key.pk}/", {"name": "Drawer", "remove": "1"})
    assert not Passkey.objects.exists()
    assert [kind for kind, _ in kinds(user)] == ["factor added", "factor renamed", "factor removed"]


def test_a_passkey_of_somebody_else_is_not_there(browser):
    other = Client(headers={"host": "localhost"})
    other.force_login(make_user(Role.ADMIN))
    add_passkey(browser, Device())

    answer = other.post(f"{PAGE}passkeys/{Passkey.objects.get().pk}/", {"remove": "1"})

    assert answer.status_code == 404
    assert Passkey.objects.exists()


def test_the_same_device_is_not_added_twice(browser):
    device = Device()
    add_passkey(browser, device)
    page = text_of(add_passkey(browser, device))

    assert "This passkey is there already." in page
    assert Passkey.objects.count() == 1


def test_a_numeric_address_has_no_passkeys_and_says_so(user):
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(user)

    page = text_of(browser.get(PAGE))

    assert "data-passkey" not in page
    assert "Browsers make no passkeys for this address" in page


def test_a_domain_of_the_installation_counts_for_the_hosts_below_it(browser, settings):
    settings.PASSKEY_DOMAIN = "example.com"
    settings.ALLOWED_HOSTS = ["desk.example.com", "localhost"]

    assert '"id": "example.com"' in options_on_host(browser, "desk.example.com")
    assert "data-passkey" not in text_of(browser.get(PAGE))


def options_on_host(browser, host):
    page = browser.get(PAGE, headers={"host": host}).content.decode()
    return html.unescape(re.findall(r'data-options="([^"]+)"', page)[0])
