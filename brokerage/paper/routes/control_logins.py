"""The control interface for signing in: the logins, codes without pages, the ends of tokens."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from brokerage.paper.messages import Response, json_response, read_object, trader_error
from brokerage.paper.oauth import Login
from brokerage.paper.routes.parameters import choice
from brokerage.paper.routes.routing import Call, Router

ENDINGS = frozenset({"expire", "revoke"})

router = Router()


@router.on("GET", "/paper/logins")
def logins(call: Call) -> Response:
    """List the logins with everything a client needs to sign in."""
    return json_response([_login_json(call, one) for one in call.broker.oauth.logins.values()])


@router.on("POST", "/paper/authorize")
def authorize(call: Call) -> Response:
    """Give out a code as if a user had walked through the pages."""
    wanted, oauth = read_object(call.request.body), call.broker.oauth
    client_id, redirect_uri = str(wanted.get("client_id")), str(wanted.get("redirect_uri"))
    own = oauth.apps.get(client_id)
    user = wanted.get("login") or (own.user if own else "")
    code = oauth.authorize(client_id, redirect_uri, str(user), now=call.broker.now)
    answer = {"code": code, "session": str(uuid4())}
    if wanted.get("state") is not None:
        answer["state"] = str(wanted["state"])
    return json_response({"redirect": _with_query(redirect_uri, answer)})


@router.on("POST", "/paper/tokens")
def tokens(call: Call) -> Response:
    """Let tokens expire, revoke them, or turn the rotation of refresh tokens on or off."""
    wanted, oauth, now = read_object(call.request.body), call.broker.oauth, call.broker.now
    users = _users(call, wanted.get("login"))
    access = choice(wanted, "access", ENDINGS, "")
    refresh = choice(wanted, "refresh", ENDINGS, "")
    for user in users:
        if access:
            oauth.end_access(user, access, now=now)
        if refresh:
            oauth.end_refresh(user, refresh, now=now)
    if "rotate" in wanted:
        change = oauth.rotating.update if wanted["rotate"] else oauth.rotating.difference_update
        change(users)
    return json_response({"logins": users})


def _login_json(call: Call, login: Login) -> dict[str, Any]:
    return {
        "label": login.label,
        "app_key": login.app_key,
        "app_secret": login.app_secret,
        "callback_url": login.callbacks[0],
        "user": login.user,
        "password": login.password,
        "totp_secret": login.totp_secret,
        "accounts": [
            {"number": account.number, "hash": account.hash}
            for account in call.broker.books.accounts_of.get(login.user, [])
        ],
    }


def _users(call: Call, name: object) -> list[str]:
    """Find a login by user, label or app key; all of them when none is named."""
    found = [
        login.user
        for login in call.broker.oauth.logins.values()
        if name is None or name in (login.user, login.label, login.app_key)
    ]
    if not found:
        raise trader_error(404, f"There is no login {name!r}.")
    return found


def _with_query(address: str, more: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(more)}"
