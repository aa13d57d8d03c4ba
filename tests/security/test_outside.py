"""What lies outside of requests: where the administration is, whom we call, what we are made of."""

import asyncio
import contextlib
import re
import socket
import time
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.domain.words import Environment, Role
from accounts.services.authorizing import begin
from accounts.services.balances import sync_accounts
from accounts.services.connecting import add_login, exchange
from brokerage.errors import BrokerError
from brokerage.schwab.answers import Proof, judge_placing
from brokerage.schwab.exchange import ApiRequest
from brokerage.transport import fetch
from tests.integration.transport.sending import call, gateway_to
from tests.support.make import PASSWORD, make_user
from tests.support.raw_server import RawServer
from tradeswim import urls

MOST_BYTES = 33 * 2**20
ROOT = Path(__file__).resolve().parents[2]
PINNED = ["requirements.txt", "requirements-dev.txt", "requirements-audit.txt"]


@pytest.mark.django_db
def test_without_a_path_there_is_no_administration_and_the_desk_does_not_miss_it(settings):
    settings.ROOT_URLCONF = tuple(
        one for one in urls.urlpatterns if getattr(one, "namespace", "") != "admin"
    )
    browser = Client()
    browser.force_login(make_user(Role.ADMIN))

    page = browser.get("/settings/")

    assert len(settings.ROOT_URLCONF) == len(urls.urlpatterns) - 1
    assert page.status_code == 200
    assert b"Administration" not in page.content
    for address in ("/admin/", "/admin/login/", "/admin/accounts/user/"):
        assert browser.get(address).status_code == 404


@pytest.mark.django_db
def test_nobody_is_called_whose_address_a_user_typed(broker, gateway_to_paper):
    offer = broker.logins()[0]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        login = add_login(
            label="Somewhere",
            environment=Environment.PAPER,
            app_key=offer["app_key"],
            app_secret=offer["app_secret"],
            callback_url=f"https://127.0.0.1:{listener.getsockname()[1]}/callback",
            optional={},
        )
        begin(login, session_key="a session", now=timezone.now())
        with pytest.raises(BrokerError):
            exchange(login, "a code")
        sync_accounts(gateway=gateway_to_paper, now=timezone.now())

        listener.settimeout(0.3)
        with pytest.raises(TimeoutError):
            listener.accept()


async def without_end(_: object, writer: asyncio.StreamWriter) -> None:
    """Answer a list that never ends, as fast as it is read."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b'{"orderId": 1},' * 4096)
            await writer.drain()


def test_an_answer_without_end_is_cut():
    listing = ApiRequest("GET", "/trader/v1/orders")
    with RawServer(without_end) as server:
        with gateway_to(server, total_timeout_s=20.0) as gateway:
            (exchange,) = gateway.send_all([call()])
        reply = fetch(
            listing, base_url=server.url, authorization="Bearer x", ca_file=None, timeout_s=20.0
        )

    assert exchange.reply is not None
    for cut in (exchange.reply, reply):
        assert not cut.complete
        assert len(cut.body) <= MOST_BYTES
    assert judge_placing(exchange, account_hash="AB").proof is Proof.UNKNOWN


@pytest.mark.parametrize("name", PINNED)
def test_every_package_is_pinned_with_its_hashes(name):
    lines = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text()).splitlines()
    packages = [line for line in lines if line and not line.lstrip().startswith("#")]

    loose = [
        line.split()[0]
        for line in packages
        if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert len(packages) > 5
    assert loose == []
    assert "--require-hashes" in (ROOT / "scripts" / "install").read_text()


@pytest.mark.django_db
def test_an_unknown_name_takes_as_long_as_a_wrong_password(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    make_user(username="known")
    taken: dict[str, list[float]] = {"known": [], "nobody": []}
    for _ in range(4):
        for name, times in taken.items():
            began = time.perf_counter()
            answer = Client().post("/sign-in/", {"username": name, "password": PASSWORD + "?"})
            times.append(time.perf_counter() - began)
            assert answer.status_code == 200

    known, nobody = (min(times) for times in taken.values())
    assert 0.5 < known / nobody < 2
