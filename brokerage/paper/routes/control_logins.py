"""The control interface for signing in: the logins, codes without pages, the ends of tokens."""

from decimal import Decimal
from typing import Any

from brokerage.paper.login_flow import Factor
from brokerage.paper.messages import Response, json_response, read_object, trader_error
from brokerage.paper.oauth import Login
from brokerage.paper.routes.login_site import callback
from brokerage.paper.routes.parameters import choice
from brokerage.paper.routes.routing import Call, Router

ENDINGS = frozenset({"expire", "revoke"})
FACTORS = frozenset(factor.value for factor in Factor)
# What of a user's habits can be set, and what it must be.
TREATED: dict[str, tuple[type, ...]] = {
    "factor": (str,),
    "asks_device": (bool,),
    "notices": (int,),
    "approves_after_s": (int, Decimal, type(None)),
    "wrong": (int,),
    "is_locked": (bool,),
}

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
    state = None if wanted.get("state") is None else str(wanted["state"])
    return json_response({"redirect": callback(redirect_uri, code, state)})


@router.on("POST", "/paper/logins")
def treat(call: Call) -> Response:
    """Change how the login pages treat a user; the fields are those of Habits."""
    wanted, site = read_object(call.request.body), call.broker.login_site
    users = _users(call, wanted.pop("login", None))
    treated = {name: _treated(wanted, name) for name in wanted}
    for user in users:
        for name, value in treated.items():
            setattr(site.habits_of(user), name, value)
    return json_response({"logins": users})


def _treated(wanted: dict[str, Any], name: str) -> Any:
    """Return what a field of Habits is to be. Errors: 400 if it cannot be that."""
    value = wanted[name]
    if name not in TREATED or not isinstance(value, TREATED[name]):
        raise trader_error(400, f"'{value}' is not a valid value for {name}")
    if name == "factor":
        return Factor(choice(wanted, name, FACTORS, Factor.TOTP))
    return float(value) if isinstance(value, Decimal) else value


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
        if access == "revoke":
            call.broker.streams.end_user(user)
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
