"""What every answer tells a browser to enforce, whoever asks and whatever for."""

from importlib import import_module
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as ours
from django.test import AsyncClient

ADDRESSES = ["/", "/sign-in/", "/nothing/", "/api/v1/orders/", "/api/nothing/", "/admin/login/"]
SENT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SECURE = (
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_SECURE",
    "CSRF_COOKIE_NAME",
    "CSRF_TRUSTED_ORIGINS",
    "ALLOWED_HOSTS",
)
pytestmark = pytest.mark.django_db


@pytest.fixture
def production(settings, monkeypatch):
    """What production changes about the web, as its settings say."""
    monkeypatch.setenv("TRADESWIM_SECRET_KEY", "a good key has many characters " * 2)
    monkeypatch.setenv("TRADESWIM_HOSTS", "desk.example")
    module = import_module("tradeswim.settings.production")
    for name in SECURE:
        setattr(settings, name, getattr(module, name))


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_is_closed_to_other_sites_and_kept_by_no_cache(client, address):
    answer = client.get(address)

    assert {name: answer.get(name) for name in SENT} == SENT
    assert "no-store" in answer["Cache-Control"]
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


def test_an_answer_of_an_asynchronous_server_says_the_same():
    answer = async_to_sync(AsyncClient().get)("/sign-in/")

    assert {name: answer.get(name) for name in SENT} == SENT
    assert "no-store" in answer["Cache-Control"]


def test_the_policy_allows_nothing_that_is_not_ours(client):
    rules = dict(
        rule.split(" ", 1) for rule in client.get("/")["Content-Security-Policy"].split("; ")
    )

    assert rules.pop("default-src") == rules.pop("base-uri") == "'none'"
    assert rules.pop("frame-ancestors") == "'none'"
    assert set(rules.values()) == {"'self'"}


def test_every_power_of_the_browser_but_passkeys_is_switched_off(client):
    said = client.get("/")["Permissions-Policy"].split(", ")
    powers = dict(power.split("=") for power in said)

    ours = {name for name, who in powers.items() if who == "(self)"}
    assert ours == {"publickey-credentials-create", "publickey-credentials-get"}
    assert {who for name, who in powers.items() if name not in ours} == {"()"}
    assert {"camera", "microphone", "geolocation", "payment", "usb"} <= set(powers)


def test_production_speaks_tls_alone_for_two_years(client, production):
    led = client.get("/", headers={"host": "desk.example"})
    assert (led.status_code, led["Location"]) == (301, "https://desk.example/")

    answer = client.get("/sign-in/", secure=True, headers={"host": "desk.example"})
    hsts = answer["Strict-Transport-Security"]
    assert hsts == "max-age=63072000; includeSubDomains; preload"
    cookie = answer.cookies["__Host-csrf"]
    assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/")
    assert cookie["samesite"] == "Strict"
    assert not cookie["domain"]


@pytest.mark.parametrize("host", ["evil.example", "desk.example.evil.example", "", "desk example"])
def test_another_host_is_answered_nothing(client, production, host):
    answer = client.get("/sign-in/", secure=True, headers={"host": host})

    assert answer.status_code == 400


def test_a_forwarded_host_is_not_believed(client):
    answer = client.get("/nothing", headers={"x-forwarded-host": "evil.example"})
    led = client.get("/desk/alarms", headers={"x-forwarded-host": "evil.example"})

    assert b"evil.example" not in answer.content
    assert led["Location"] == "/desk/alarms/"


def test_the_static_files_are_no_way_out(client):
    Path(ours.STATIC_ROOT).mkdir(exist_ok=True)
    for address in ("/static/../manage.py", "/static/%2e%2e/manage.py", "/.git/config", "/metrics"):
        # As somebody who came through the web server in front: this machine reads its numbers.
        answer = client.get(address, headers={"x-forwarded-for": "203.0.113.9"})
        assert answer.status_code == 404
