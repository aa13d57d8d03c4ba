"""Rows for tests, one function per model; what a test does not name is ordinary."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.domain.words import Environment, LoginStatus, Mode, ModeScope, Role
from accounts.fields import key_ring
from accounts.models import Account, AccountGroup, BrokerLogin, Token, TradingMode, User

PASSWORD = "a long enough password"
_numbers = count(1)


def make_user(role: Role = Role.AGENT, **fields: Any) -> User:
    """A user who may sign in with PASSWORD."""
    name = fields.pop("username", f"user{next(_numbers)}")
    return User.objects.create_user(name, password=PASSWORD, role=role, **fields)


def make_login(
    *,
    app_key: str = "an app key",
    status: LoginStatus = LoginStatus.CONNECTED,
    environment: Environment = Environment.PAPER,
    **fields: Any,
) -> BrokerLogin:
    """A login that is connected, as its row says; no broker knows it."""
    login = BrokerLogin(
        label=fields.pop("label", f"Login {next(_numbers)}"),
        environment=environment,
        app_key=app_key,
        app_key_index=key_ring().blind_index(app_key, column="app_key"),
        app_secret=fields.pop("app_secret", "an app secret"),
        callback_url="https://127.0.0.1/callback",
        status=status,
        **fields,
    )
    login.save(force_insert=True)
    return login


def make_token(login: BrokerLogin | None = None, **fields: Any) -> Token:
    """A token that is good for half an hour."""
    now = timezone.now()
    values = {
        "access": "an access token",
        "refresh": "a refresh token",
        "access_expires_at": now + timedelta(minutes=30),
        "refresh_expires_at": now + timedelta(days=7),
        **fields,
    }
    return Token.objects.create(login=login or make_login(), **values)


def make_account(login: BrokerLogin | None = None, **fields: Any) -> Account:
    """An account at the next place of the grid."""
    number = fields.pop("number", f"{10_000_000 + next(_numbers)}")
    position = fields["position"] if "position" in fields else Account.objects.count()
    values = {
        "number_index": key_ring().blind_index(number, column="number"),
        "last4": number[-4:],
        "hash_value": f"HASH{number}",
        "alias": f"Account {position + 1}",
        "position": position,
        **fields,
    }
    return Account.objects.create(login=login or make_login(), number=number, **values)


def make_group(name: str, *members: Account) -> AccountGroup:
    group = AccountGroup.objects.create(name=name)
    group.members.set(members)
    return group


def make_mode(mode: Mode, scope: ModeScope = ModeScope.FLEET, target: str = "") -> TradingMode:
    return TradingMode.objects.create(
        mode=mode, scope=scope, target=target, why="a test says so", since=timezone.now()
    )


def make_balances(account: Account, value: Decimal) -> None:
    """Let an account have been read just now."""
    Account.objects.filter(pk=account.pk).update(
        value=value, cash=value, buying_power=value, balances_at=timezone.now()
    )
