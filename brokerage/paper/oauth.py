"""Logins, authorization codes and tokens as Schwab's OAuth server keeps them."""

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from brokerage.paper.messages import Refused

ACCESS_S = 1800
REFRESH_S = 7 * 86_400
CODE_S = 30
CODE_PREFIX = "C0.b2F1dGgyLmJkYy5zY2h3YWIuY29t."


@dataclass(frozen=True, slots=True)
class Login:
    """A Schwab user and the developer app that goes with him.

    Args:
        callbacks: registered for the app; a request must name one of them exactly.
    """

    label: str
    user: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    callbacks: tuple[str, ...] = ()


@dataclass(slots=True)
class Code:
    """An authorization code that has not been used.

    Args:
        linked: hashes of the accounts that the user picked; none stands for all of his.
        challenge: of PKCE (S256); empty if the app sent none.
    """

    user: str
    client_id: str
    redirect_uri: str
    expires_at: float
    linked: Sequence[str] = ()
    challenge: str = ""


@dataclass(slots=True)
class Grant:
    """What a user allowed an app; its clock starts at the login and is never wound up."""

    user: str
    client_id: str
    expires_at: float
    linked: Sequence[str] = ()


@dataclass(slots=True)
class Session:
    """What an access token stands for."""

    user: str
    expires_at: float
    linked: Sequence[str] = ()


class OAuth:
    """All logins, and every code and token that is alive."""

    def __init__(self) -> None:
        self.logins: dict[str, Login] = {}
        self.apps: dict[str, Login] = {}
        self.codes: dict[str, Code] = {}
        self.grants: dict[str, Grant] = {}
        self.sessions: dict[str, Session] = {}
        self.rotating: set[str] = set()
        self.is_changed = False

    def add_login(self, login: Login) -> None:
        """Register a user with his app."""
        self.logins[login.user] = login
        self.apps[login.app_key] = login

    def user_of(self, token: str, *, now: float) -> str | None:
        """Find whose access token this is; None if it is unknown or over."""
        session = self.sessions.get(token)
        return session.user if session and session.expires_at > now else None

    def linked_of(self, token: str) -> frozenset[str]:
        """Return the accounts an access token is for; none stands for all of its user's."""
        session = self.sessions.get(token)
        return frozenset(session.linked) if session else frozenset()

    def check_callback(self, client_id: str, redirect_uri: str) -> None:
        """Raise Refused if the app or its callback is unknown."""
        app = self.apps.get(client_id)
        if app is None:
            raise _oauth_error(401, "invalid_client", "Unauthorized")
        if redirect_uri not in app.callbacks:
            raise _oauth_error(400, "invalid_request", "redirect_uri is not registered")

    def authorize(
        self,
        client_id: str,
        redirect_uri: str,
        user: str,
        *,
        now: float,
        linked: Sequence[str] = (),
        challenge: str = "",
    ) -> str:
        """Give out a code, as if the user had walked through the pages.

        A new login supersedes the refresh token that the app had of this user.

        Raises:
            Refused: the app, its callback or the user is unknown.
        """
        self.check_callback(client_id, redirect_uri)
        if user not in self.logins:
            raise _oauth_error(401, "invalid_client", "Unauthorized")
        self._drop_grants(user, client_id)
        code = f"{CODE_PREFIX}{secrets.token_urlsafe(24)}@"
        self.codes[code] = Code(user, client_id, redirect_uri, now + CODE_S, linked, challenge)
        return code

    def exchange(
        self, app: Login, code: str, redirect_uri: str, verifier: str = "", *, now: float
    ) -> dict[str, Any]:
        """Turn a code into tokens; it works once.

        Raises:
            Refused: the code is unknown, used, too old or of another app or callback.
        """
        found = self.codes.pop(code, None)
        if found is None or found.expires_at <= now or found.client_id != app.app_key:
            raise _oauth_error(400, "invalid_grant", "Authorization code is not valid")
        if found.redirect_uri != redirect_uri:
            raise _oauth_error(400, "invalid_request", "redirect_uri does not match")
        if found.challenge and not secrets.compare_digest(found.challenge, _s256(verifier)):
            raise _oauth_error(400, "invalid_grant", "code_verifier does not match")
        grant = Grant(found.user, app.app_key, now + REFRESH_S, found.linked)
        return self._issue(self._new_refresh_token(grant), grant, now=now)

    def refresh(self, app: Login, token: str, *, now: float) -> dict[str, Any]:
        """Give out another access token, with rotation also another refresh token.

        Raises:
            Refused: the refresh token is expired, revoked or superseded.
        """
        grant = self.grants.get(token)
        if grant is None or grant.expires_at <= now or grant.client_id != app.app_key:
            raise dead_refresh_token()
        if grant.user in self.rotating:
            del self.grants[token]
            token = self._new_refresh_token(grant)
        return self._issue(token, grant, now=now)

    def end_access(self, user: str, how: str, *, now: float) -> None:
        """Let a user's access tokens expire, or revoke them."""
        for token, session in list(self.sessions.items()):
            if session.user == user:
                session.expires_at = now
                if how == "revoke":
                    del self.sessions[token]
        self.is_changed = True

    def end_refresh(self, user: str, how: str, *, now: float) -> None:
        """Let a user's refresh tokens expire, or revoke them."""
        for token, grant in list(self.grants.items()):
            if grant.user == user:
                grant.expires_at = now
                if how == "revoke":
                    del self.grants[token]
        self.is_changed = True

    def check_app(self, key: str, secret: str) -> Login:
        """Return the app that these credentials belong to.

        Raises:
            Refused: they are wrong.
        """
        app = self.apps.get(key)
        if app is None or not secrets.compare_digest(app.app_secret.encode(), secret.encode()):
            raise _oauth_error(401, "invalid_client", "Unauthorized")
        return app

    def _issue(self, refresh_token: str, grant: Grant, *, now: float) -> dict[str, Any]:
        for token in [one for one, held in self.sessions.items() if held.expires_at <= now]:
            del self.sessions[token]
        access = f"I0.{secrets.token_urlsafe(32)}@"
        self.sessions[access] = Session(grant.user, now + ACCESS_S, grant.linked)
        self.is_changed = True
        return {
            "expires_in": ACCESS_S,
            "token_type": "Bearer",
            "scope": "api",
            "refresh_token": refresh_token,
            "access_token": access,
            "id_token": _id_token(grant, now),
        }

    def _new_refresh_token(self, grant: Grant) -> str:
        token = f"{secrets.token_urlsafe(48)}@"
        self.grants[token] = grant
        self.is_changed = True
        return token

    def _drop_grants(self, user: str, client_id: str) -> None:
        for token, grant in list(self.grants.items()):
            if (grant.user, grant.client_id) == (user, client_id):
                del self.grants[token]
        self.is_changed = True


def dead_refresh_token() -> Refused:
    """Refuse a refresh token as Schwab does: a JSON text inside a JSON text."""
    digest = secrets.token_hex(16)
    inner = json.dumps(
        {
            "error_description": (
                f"Exception while authenticating refresh token [tokenDigest={digest}, "
                f"Exception=Failed refresh token authentication [tokenDigest={digest}]]"
            ),
            "error": "refresh_token_authentication_error",
        },
        separators=(",", ":"),
    )
    return _oauth_error(400, "unsupported_token_type", f'400 Bad Request: "{inner}"')


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _oauth_error(status: int, error: str, description: str) -> Refused:
    return Refused(status, {"error": error, "error_description": description})


def _id_token(grant: Grant, now: float) -> str:
    """Make up the JWT that comes with the tokens; nobody uses it."""
    parts = (
        {"alg": "RS256", "typ": "JWT"},
        {"sub": str(uuid4()), "aud": grant.client_id, "iat": int(now), "exp": int(now) + ACCESS_S},
    )
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(text.rstrip("=") for text in encoded), secrets.token_urlsafe(32)])
