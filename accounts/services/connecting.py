"""Connect logins: keep their credentials, take their first tokens, and find their accounts."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounts.domain.words import ABLE, Environment
from accounts.fields import key_ring
from accounts.models import Account, BrokerLogin
from accounts.services.audit import event, record
from accounts.services.tokens import Fetch, ask_broker, keep_grant
from brokerage.budget import Lane, the_budget
from brokerage.paper_control import PaperControl
from brokerage.schwab import messages, oauth
from brokerage.schwab.replies import (
    AccountNumber,
    TokenGrant,
    read_account_numbers,
    read_token,
)

_AT_ONCE = 16
_IN_A_TRANSACTION = 100


@dataclass(frozen=True, slots=True)
class Connection:
    """What one sign-in at the broker gave: the first tokens and the accounts behind them."""

    grant: TokenGrant
    numbers: Sequence[AccountNumber]


def add_login(
    *,
    label: str,
    environment: Environment,
    app_key: str,
    app_secret: str,
    callback_url: str,
    optional: Mapping[str, str] | None = None,
) -> BrokerLogin:
    """Keep a login's credentials; `optional` may hold user_name, password and totp_secret."""
    login = BrokerLogin(
        label=label,
        environment=environment,
        app_key=app_key,
        app_key_index=key_ring().blind_index(app_key, column="app_key"),
        app_secret=app_secret,
        callback_url=callback_url,
        **(optional or {}),
    )
    login.save(force_insert=True)
    return login


def exchange(
    login: BrokerLogin, code: str, *, ask: Fetch = ask_broker, verifier: str | None = None
) -> Connection:
    """Turn an authorization code into tokens and read the accounts they open.

    Args:
        verifier: of PKCE, where the sign-in began with its challenge.

    Errors: those of brokerage.errors; nothing is stored then.
    """
    basic = oauth.basic_authorization(login.app_key.open(), login.app_secret.open())
    the_budget().charge(login.app_key_index, Lane.TOKENS, 2)
    reply = ask(oauth.exchange_code(code, login.callback_url, verifier), basic)
    grant = read_token(reply)
    listed = ask(messages.account_numbers(), oauth.bearer(grant.access_token))
    return Connection(grant, read_account_numbers(listed))


def keep_connection(
    login: BrokerLogin, connection: Connection, *, now: datetime, new_are_active: bool = True
) -> None:
    """Store what `exchange` gave: tokens, and the accounts, matched by number.

    Args:
        new_are_active: whether accounts that were not known take part in broadcasts at once.
    """
    with transaction.atomic():
        keep_grant(login, connection.grant, now=now)
        _keep_accounts(login, connection.numbers, now=now, new_are_active=new_are_active)


def connect_paper_fleet(control: PaperControl, *, now: datetime) -> int:
    """Connect every login of the paper broker that is not connected; return how many it did."""
    logins = BrokerLogin.objects.filter(environment=Environment.PAPER).select_related("token")
    known = {login.label: login for login in logins}
    offers = control.logins()
    with transaction.atomic():
        waiting = [
            (_paper_login(offer, known.get(offer["label"])), offer)
            for offer in offers
            if not _is_alive(known.get(offer["label"]), now)
        ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # the network part touches no database
        connections = list(pool.map(lambda pair: _sign_in(control, *pair), waiting))
    found = [(login, one) for (login, _), one in zip(waiting, connections, strict=True)]
    # What commits grows with each login in it, so thousands are kept in several transactions.
    for start in range(0, len(found), _IN_A_TRANSACTION):
        with transaction.atomic():
            for login, connection in found[start : start + _IN_A_TRANSACTION]:
                keep_connection(login, connection, now=now)
    return len(waiting)


def _sign_in(control: PaperControl, login: BrokerLogin, offer: Mapping[str, Any]) -> Connection:
    code = control.authorize(
        app_key=offer["app_key"], callback_url=login.callback_url, user=offer["user"]
    )
    return exchange(login, code)


def _is_alive(login: BrokerLogin | None, now: datetime) -> bool:
    """Whether a login can go on without a new sign-in."""
    token = getattr(login, "token", None)
    if login is None or token is None or token.refresh_expires_at <= now:
        return False
    return login.status in ABLE


def _paper_login(offer: Mapping[str, Any], known: BrokerLogin | None) -> BrokerLogin:
    if known is not None:
        return known
    return add_login(
        label=offer["label"],
        environment=Environment.PAPER,
        app_key=offer["app_key"],
        app_secret=offer["app_secret"],
        # Our own, so that Connect works; the broker knows it beside the one it lists.
        callback_url=settings.OAUTH_CALLBACK_URL,
    )


def _keep_accounts(
    login: BrokerLogin,
    numbers: Sequence[AccountNumber],
    *,
    now: datetime,
    new_are_active: bool,
) -> None:
    """Match accounts by number: known ones get their hash anew, new ones the next grid places."""
    by_index = {
        key_ring().blind_index(listed.number, column="number"): listed for listed in numbers
    }
    known = list(Account.objects.filter(number_index__in=by_index))
    for account in known:
        account.hash_value, account.login = by_index[account.number_index].hash_value, login
    Account.objects.bulk_update(known, ["hash_value", "login"])
    for account in known:
        del by_index[account.number_index]
    last = Account.objects.aggregate(last=Max("position"))["last"]
    found = [
        Account(
            login=login,
            number=listed.number,
            number_index=index,
            last4=listed.number[-4:],
            hash_value=listed.hash_value,
            alias=_alias(login, listed.number, alone=len(numbers) == 1),
            position=position,
            is_active=new_are_active,
        )
        for position, (index, listed) in enumerate(
            by_index.items(), start=0 if last is None else last + 1
        )
    ]
    Account.objects.bulk_create(found)
    record(event(account, "found", at=now, data={"login": str(login.pk)}) for account in found)


def _alias(login: BrokerLogin, number: str, *, alone: bool) -> str:
    return login.label if alone else f"{login.label} {number[-4:]}"
