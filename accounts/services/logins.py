"""Add logins, change what they sign in with, test them, and take accounts back from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.domain.words import Environment
from accounts.fields import key_ring
from accounts.models import Account, BrokerLogin, Token
from accounts.services.audit import event, record
from accounts.services.connecting import add_login
from accounts.services.tokens import Fetch, ask_broker
from brokerage.budget import Lane, the_budget
from brokerage.errors import BrokerError, LoginRequired
from brokerage.schwab import messages, oauth
from brokerage.schwab.replies import read_account_numbers

SECRETS = ("app_key", "app_secret", "user_name", "password", "totp_secret")
NEVER = "It was never connected. Press Connect."
REFUSED = "The broker does not take its tokens any more. Press Connect."


class LabelTaken(Exception):
    """Another login has this label."""


def create_login(
    *, environment: Environment, values: Mapping[str, str], actor: str, now: datetime
) -> BrokerLogin:
    """Keep a new login; values are those of SECRETS that are known, `label` and `callback_url`.

    Errors: LabelTaken.
    """
    optional = {name: values[name] for name in SECRETS[2:] if values.get(name)}
    try:
        with transaction.atomic():
            login = add_login(
                label=values["label"],
                environment=environment,
                app_key=values["app_key"],
                app_secret=values["app_secret"],
                callback_url=values["callback_url"],
                optional=optional,
            )
            record([event(login, "login added", at=now, actor=actor, data=_named(optional))])
    except IntegrityError:
        raise LabelTaken from None
    return login


def create_logins(
    rows: Sequence[Mapping[str, str]], *, environment: Environment, actor: str, now: datetime
) -> int:
    """Keep all of these logins, or none. Errors: LabelTaken."""
    with transaction.atomic():
        for row in rows:
            create_login(environment=environment, values=row, actor=actor, now=now)
    return len(rows)


def change_login(
    login_id: UUID, *, values: Mapping[str, str | None], actor: str, now: datetime
) -> list[str]:
    """Write new values of a login; return the names of what changed, never the values.

    Args:
        values: by name; a secret that is None is removed, one that is not named stays.

    Errors: LabelTaken.
    """
    login = BrokerLogin.objects.get(pk=login_id)
    changed = [
        name for name, value in values.items() if name in SECRETS or getattr(login, name) != value
    ]
    for name in changed:
        setattr(login, name, values[name])
    if "app_key" in changed and values["app_key"]:
        login.app_key_index = key_ring().blind_index(values["app_key"], column="app_key")
        changed.append("app_key_index")
    if not changed:
        return []
    try:
        with transaction.atomic():
            login.save(update_fields=changed)
            said = [name for name in changed if name != "app_key_index"]
            record([event(login, "login changed", at=now, actor=actor, data=_named(said))])
    except IntegrityError:
        raise LabelTaken from None
    return said


def unlink_account(account_id: UUID, *, actor: str, now: datetime) -> str:
    """Take an account out of everything until its login is connected again; return its alias."""
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=account_id)
        rows = Account.objects.filter(pk=account_id, is_linked=True)
        if rows.update(is_linked=False, is_active=False):
            record([event(account, "unlinked", at=now, actor=actor)])
    return account.alias


def try_login(login: BrokerLogin, *, ask: Fetch = ask_broker) -> str:
    """Ask the broker for the accounts of a login; say in words what came of it."""
    token = Token.objects.filter(login=login).first()
    if token is None:
        return NEVER
    the_budget().charge(login.app_key_index, Lane.QUOTES)
    try:
        reply = ask(messages.account_numbers(), oauth.bearer(token.access.open()))
        found = len(read_account_numbers(reply))
    except LoginRequired:
        return REFUSED
    except BrokerError as error:
        return f"The broker did not answer as it should: {error}."
    return f"It works: the broker lists {found} account{'' if found == 1 else 's'}."


def _named(names: Mapping[str, object] | Sequence[str]) -> dict[str, list[str]]:
    return {"fields": sorted(names)}
