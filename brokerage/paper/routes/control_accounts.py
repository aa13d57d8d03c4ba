"""The control interface for accounts: what kind they are, and how much cash they have."""

from typing import Any

from brokerage.paper.books import Account
from brokerage.paper.messages import Response, json_response, read_object, trader_error
from brokerage.paper.routes.parameters import MOST, choice, sensible
from brokerage.paper.routes.routing import Call, Router

CASH, MARGIN = "CASH", "MARGIN"
KINDS = frozenset({CASH, MARGIN})
AMOUNTS = ("cash", "opening_cash")

router = Router()


@router.on("GET", "/paper/accounts")
def accounts(call: Call) -> Response:
    """Show every account's kind and cash."""
    return json_response(
        {one.hash: _account_json(one) for one in call.broker.books.accounts.values()}
    )


@router.on("POST", "/paper/accounts")
def change_accounts(call: Call) -> Response:
    """Change accounts: `{account: {"type", "cash", "opening_cash"}}`; what is not named stays.

    `opening_cash` is what the account was worth when the day began.
    """
    wanted = read_object(call.request.body)
    changes = [(account_named(call, name), _fields(fields)) for name, fields in wanted.items()]
    for account, fields in changes:
        account.is_margin = choice(fields, "type", KINDS, _kind(account)) == MARGIN
        for name in AMOUNTS:
            if name in fields:
                setattr(account, name, sensible(fields[name], low=-MOST))
        call.broker.books.changed_accounts.add(account.hash)
    return accounts(call)


def account_named(call: Call, name: object) -> Account:
    """Find an account by its hash or its number."""
    for account in call.broker.books.accounts.values():
        if name in (account.hash, account.number):
            return account
    raise trader_error(404, f"There is no account {name!r}.")


def _fields(fields: object) -> dict[str, Any]:
    """Check all fields before any account is changed."""
    if not isinstance(fields, dict) or set(fields) - {"type", *AMOUNTS}:
        raise trader_error(400, "An account has type, cash and opening_cash.")
    choice(fields, "type", KINDS, CASH)
    for name in AMOUNTS:
        sensible(fields.get(name, 0), low=-MOST)
    return fields


def _kind(account: Account) -> str:
    return MARGIN if account.is_margin else CASH


def _account_json(account: Account) -> dict[str, Any]:
    amounts = {name: float(getattr(account, name)) for name in AMOUNTS}
    return {"type": _kind(account), **amounts}
