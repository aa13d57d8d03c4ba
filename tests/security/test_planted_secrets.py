"""Secrets that went through the whole product can be read nowhere behind it."""

import logging
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import FieldError
from django.utils import timezone

from accounts.domain.envelope import CannotOpen
from accounts.domain.words import Environment, LoginStatus
from accounts.fields import key_ring, seal_for
from accounts.models import Account, AuditEvent, BrokerLogin, Token
from accounts.services.balances import sync_accounts
from accounts.services.connecting import Connection, add_login, exchange, keep_connection
from accounts.services.tokens import ask_broker, refresh_due_tokens, refresh_login
from accounts.tasks.queue import enqueue
from brokerage.errors import BrokerError
from brokerage.schwab import messages, oauth
from brokerage.schwab.exchange import Call
from brokerage.schwab.replies import read_account_numbers, read_accounts
from orders import tasks
from tests.api.caller import Caller, shares
from tests.security.evidence import database, leaks, log_lines, redis_contents, rows
from tests.support.fleet import Fleet
from tests.support.make import PASSWORD, make_user

FAULTS = ["http_500", "drop_after", "html_403", "http_400_500_body", "http_401", "bad_json"]


@dataclass
class Installation:
    """A product with one login that has lived through everything."""

    fleet: Fleet
    offer: dict[str, Any]
    connection: Connection
    caller: Caller
    secrets: dict[str, str]

    @property
    def login(self) -> BrokerLogin:
        return BrokerLogin.objects.select_related("token").get()

    def remember_tokens(self) -> None:
        """Count the tokens of this moment among the secrets."""
        number = len(self.secrets)
        token = self.login.token
        self.secrets[f"access token {number}"] = token.access.open()
        self.secrets[f"refresh token {number}"] = token.refresh.open()


@pytest.fixture
def lived(transactional_db, broker, gateway_to_paper, queue, caplog) -> Installation:
    """Connect, renew, broadcast, fail, poll and sign in, while every logger says all it can."""
    for name in [None, *logging.root.manager.loggerDict]:
        caplog.set_level(logging.DEBUG, logger=name)
    broker.tokens(rotate=True)
    installation = install(broker, gateway_to_paper)
    renew(installation)
    trade(installation)
    fail(installation)
    return installation


def install(broker, gateway) -> Installation:
    """Connect the first login with everything that can be known about it."""
    offer = broker.logins()[0]
    login = add_login(
        label=offer["label"],
        environment=Environment.PAPER,
        app_key=offer["app_key"],
        app_secret=offer["app_secret"],
        callback_url=offer["callback_url"],
        optional={
            "user_name": "planted-user-name",
            "password": offer["password"],
            "totp_secret": offer["totp_secret"],
        },
    )
    code = broker.authorize(offer)
    connection = exchange(login, code)
    keep_connection(login, connection, now=timezone.now())
    caller = Caller(make_user())
    caller.sign_in()
    secrets = {
        "app key": offer["app_key"],
        "app secret": offer["app_secret"],
        "basic authorization": f"{offer['app_key']}:{offer['app_secret']}",
        "user name": "planted-user-name",
        "password": offer["password"],
        "totp secret": offer["totp_secret"],
        "account number": offer["accounts"][0]["number"],
        "authorization code": code,
        "agent's password": PASSWORD,
        "agent's access token": caller.access,
        "agent's refresh token": caller.client.cookies["tradeswim-refresh"].value,
        "data key": b64encode(key_ring().keys["k1"]).decode(),
        "index key": b64encode(key_ring().index_key).decode(),
    }
    accounts = list(Account.objects.select_related("login"))
    fleet = Fleet(broker, gateway, caller.user, accounts)
    installation = Installation(fleet, offer, connection, caller, secrets)
    installation.remember_tokens()
    return installation


def renew(installation: Installation) -> None:
    """Renew with rotation, through an outage, and after a refusal."""
    soon = timezone.now() + timedelta(minutes=1)
    Token.objects.update(access_expires_at=soon)
    installation.fleet.broker.fault("http_500", path="/v1/oauth/token")
    for _ in range(2):
        refresh_due_tokens(now=timezone.now())
    installation.remember_tokens()
    version = installation.login.token.version
    refresh_login(installation.login.pk, now=timezone.now(), seen_version=version)
    installation.remember_tokens()


def trade(installation: Installation) -> None:
    """Ring for broadcasts by the API, and send some with every kind of trouble."""
    fleet = installation.fleet
    for body in (shares(limit="1.50"), shares(limit="x"), {"accounts": "x"}):
        installation.caller.order(body)
    for number, fault in enumerate(FAULTS, 11):
        fleet.broker.fault(fault, method="POST", path="/orders")
        fleet.broadcast(fleet.shares(number))
    version = installation.login.token.version
    enqueue(
        tasks.renew_and_place,
        login_id=str(installation.login.pk),
        seen_version=version,
        ids=[str(uuid4())],
    )
    fleet.poll()
    for trouble in ("http_500", "bad_json", None):
        if trouble:
            fleet.broker.fault(trouble, path="/trader/v1/accounts")
        sync_accounts(gateway=fleet.gateway, now=timezone.now())
    installation.caller.post("accounts/refresh/")


def fail(installation: Installation) -> None:
    """Lose the login for good, and open what was swapped."""
    broker = installation.fleet.broker
    with pytest.raises(BrokerError):
        exchange(installation.login, installation.secrets["authorization code"])
    broker.tokens(refresh="revoke")
    refresh_login(installation.login.pk, now=timezone.now())
    assert installation.login.status == LoginStatus.LOGIN_REQUIRED
    refresh = bytes(Token.objects.values_list("refresh", flat=True).get())
    sealed = seal_for(BrokerLogin, "app_secret", installation.login.pk, "another")
    Token.objects.update(access=refresh)
    BrokerLogin.objects.filter(label="nobody").update(app_secret=sealed)
    BrokerLogin.objects.update(status=LoginStatus.CONNECTED)
    sync_accounts(gateway=installation.fleet.gateway, now=timezone.now())


def test_nothing_behind_the_product_shows_a_secret(lived, queue, caplog):
    places = {
        "database": database(),
        "rows": rows(),
        "audit": repr(list(AuditEvent.objects.values())).encode(),
        "logs": log_lines([*caplog.get_records("setup"), *caplog.records]),
        "redis": redis_contents(queue.client),
        "accounts": lived.caller.get("accounts/").content,
        "orders": lived.caller.get("orders/").content,
    }

    assert len(lived.secrets) == 19
    assert min(map(len, places.values())) > 200
    found = {name: leaks(text, lived.secrets) for name, text in places.items()}
    assert found == {name: [] for name in places}


def test_no_value_that_holds_a_secret_shows_it(lived):
    offer, login = lived.offer, lived.login
    bearer = oauth.bearer(lived.connection.grant.access_token)
    listed = ask_broker(messages.account_numbers(), bearer)
    balances = ask_broker(messages.accounts(positions=False), bearer)
    values = [
        login,
        login.token,
        login.token.refresh,
        vars(login),
        vars(login.token),
        Account.objects.get(),
        Account.objects.values_list("number", "last4").get(),
        lived.connection,
        lived.connection.grant,
        key_ring(),
        oauth.refresh(login.token.refresh.open()),
        oauth.exchange_code(lived.secrets["authorization code"], offer["callback_url"]),
        Call(messages.account_numbers(), bearer),
        listed,
        read_account_numbers(listed),
        balances,
        read_accounts(balances),
    ]

    shown = [(value.__class__.__name__, f"{value!r} {value!s}".encode()) for value in values]

    assert [(name, leaks(text, lived.secrets)) for name, text in shown] == [
        (name, []) for name, _ in shown
    ]


def test_no_error_shows_a_secret(lived):
    login, errors = lived.login, []
    offer = lived.offer

    def fails(act) -> None:
        with pytest.raises((BrokerError, CannotOpen, FieldError)) as caught:
            act()
        errors.append(f"{caught.value!r} {caught.value!s} {caught.value.__dict__!r}".encode())

    fails(login.token.access.open)
    fails(lambda: exchange(login, "planted-code"))
    fails(lambda: Token.objects.update(access=lived.secrets["app secret"]))
    fails(lambda: Token.objects.filter(access=lived.secrets["app secret"]).exists())
    lived.fleet.broker.fault("html_403", path="/v1/oauth/token")
    fails(lambda: exchange(login, lived.fleet.broker.authorize(offer)))

    assert [leaks(text, lived.secrets) for text in errors] == [[]] * 5


@pytest.mark.parametrize("place", [database, rows])
def test_the_search_finds_a_secret_that_lies_open(lived, place):
    Account.objects.update(alias=lived.secrets["totp secret"])

    assert leaks(place(), lived.secrets) == ["totp secret"]
