"""The token endpoint."""

import base64
import binascii
from urllib.parse import parse_qsl

from brokerage.paper.messages import Refused, Request, Response, json_response
from brokerage.paper.oauth import Login
from brokerage.paper.routes.routing import Call, Router

router = Router()


@router.on("POST", "/v1/oauth/token")
def token(call: Call) -> Response:
    """Give tokens for a code or for a refresh token."""
    oauth, now = call.broker.oauth, call.broker.now
    app = _app(call)
    form = dict(parse_qsl(call.request.body.decode("utf-8", "replace"), keep_blank_values=True))
    match form.get("grant_type"):
        case "authorization_code":
            parts = [form.get(name, "") for name in ("code", "redirect_uri", "code_verifier")]
            issued = oauth.exchange(app, *parts, now=now)
        case "refresh_token":
            issued = oauth.refresh(app, form.get("refresh_token", ""), now=now)
        case _:
            raise Refused(400, {"error": "unsupported_grant_type"})
    return json_response(
        issued, headers={"Cache-Control": "no-store", "Schwab-Resource-Version": "1"}
    )


def _app(call: Call) -> Login:
    key, secret = _basic(call.request)
    return call.broker.oauth.check_app(key, secret)


def _basic(request: Request) -> tuple[str, str]:
    """Read the app's key and secret from the Authorization header."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode() if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    key, _, secret = text.partition(":")
    return key, secret
