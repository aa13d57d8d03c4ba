"""The token grants, and how to tell that a refresh token is dead."""

import base64
import hashlib
import json
from urllib.parse import urlencode

from brokerage.schwab.exchange import ApiRequest, Reply

GRANT_PATH = "/v1/oauth/token"
AUTHORIZE_PATH = "/v1/oauth/authorize"
FORM = "application/x-www-form-urlencoded"
BAD_REQUEST, UNAUTHORIZED = 400, 401
DEAD = frozenset(
    {
        "unsupported_token_type",
        "refresh_token_authentication_error",
        "invalid_grant",
        "invalid_client",
    }
)


def authorize_address(
    base_url: str, *, client_id: str, redirect_uri: str, state: str, verifier: str | None = None
) -> str:
    """Return the address at which a user signs in and lets an app have his accounts.

    Args:
        state: echoed at the callback.
        verifier: of PKCE; its S256 challenge goes along.
    """
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if verifier is not None:
        query |= {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
    return f"{base_url.rstrip('/')}{AUTHORIZE_PATH}?{urlencode(query)}"


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def exchange_code(code: str, redirect_uri: str, code_verifier: str | None = None) -> ApiRequest:
    """Turn a callback's code into tokens; at once, it lives for seconds.

    Args:
        code: URL-decoded once (it ends in @); it is encoded again here.
        redirect_uri: the very callback the code was sent to.
        code_verifier: of PKCE, if the authorize address carried its challenge.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if code_verifier is not None:
        form["code_verifier"] = code_verifier
    return _grant(form)


def refresh(refresh_token: str) -> ApiRequest:
    """Ask for a new access token; store whatever comes back before using it."""
    return _grant({"grant_type": "refresh_token", "refresh_token": refresh_token})


def basic_authorization(key: str, secret: str) -> str:
    """Return the header value of a token grant."""
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def bearer(token: str) -> str:
    """Return the header value of every other call."""
    return f"Bearer {token}"


def is_dead_refresh(reply: Reply) -> bool:
    """Tell whether a refresh was refused for good, so that only a new login helps.

    The error is also looked for in the description, where the gateway puts a second JSON text,
    and in the raw text should that nesting have broken the outer JSON. An HTML page proves nothing.
    """
    text = reply.body.decode("utf-8", "replace")
    if reply.status not in {BAD_REQUEST, UNAUTHORIZED} or not text.lstrip().startswith("{"):
        return False
    try:
        error = json.loads(text)
    except (ValueError, RecursionError):
        return any(word in text for word in DEAD)
    description = str(error.get("error_description", ""))
    return str(error.get("error")) in DEAD or "refresh_token_authentication_error" in description


def _grant(form: dict[str, str]) -> ApiRequest:
    return ApiRequest("POST", GRANT_PATH, urlencode(form).encode(), FORM)
