"""The pages on which a user signs in and lets an app have his accounts, as Schwab shows them."""

from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from brokerage.paper.login_flow import Flow, Page
from brokerage.paper.messages import Response, json_response, read_object, trader_error
from brokerage.paper.mishaps import ACCESS_DENIED
from brokerage.paper.routes.routing import Call, Router

FOLDER = Path(__file__).parents[1] / "login_site"
FILES = {
    name: ((FOLDER / name).read_bytes(), kind)
    for name, kind in (
        ("index.html", "text/html; charset=utf-8"),
        ("site.css", "text/css"),
        ("site.js", "text/javascript"),
    )
}
# Bound to the browser: whoever has another one's address does not go on in his place.
FLOW, DEVICE = "paper-flow", "paper-device"
DEVICE_S = 400 * 86_400
UNKNOWN_PAGE = "/identity/questions"

router = Router()


@router.on("GET", "/v1/oauth/authorize")
def authorize(call: Call) -> Response:
    """Begin: send the browser to the login page."""
    query, oauth = call.request.query, call.broker.oauth
    client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
    oauth.check_callback(client_id, redirect_uri)
    flow = Flow(
        client_id,
        redirect_uri,
        query.get("state"),
        challenge=query.get("code_challenge", ""),
        device=_cookie(call, DEVICE),
    )
    name = call.broker.login_site.begin(flow)
    cookie = f"{FLOW}={name}; Path=/ui; HttpOnly; SameSite=Lax"
    return Response(
        302, headers={"Location": f"/ui/host/#{Page.LOGIN.value}", "Set-Cookie": cookie}
    )


@router.on("GET", "/ui/host")
def host(call: Call) -> Response:
    """Serve the program that shows the pages."""
    return _file("index.html")


@router.on("GET", "/ui/site.css")
@router.on("GET", "/ui/site.js")
def file(call: Call) -> Response:
    """Serve what belongs to it."""
    return _file(call.request.path.rpartition("/")[2])


@router.on("GET", "/ui/page")
def page(call: Call) -> Response:
    """Tell which page to show and what is on it; a fault may change it."""
    flow = _flow(call)
    call.broker.login_site.look_at_phone(flow, now=call.broker.now)
    shown = _shown(call, flow)
    match call.fault.body if call.fault and call.fault.name == "login_page" else None:
        case "access_denied":
            return Response(403, ACCESS_DENIED.encode(), content_type="text/html")
        case "unexpected":
            shown = {"route": UNKNOWN_PAGE, "page": "unexpected"}
        case "changed":
            shown["is_changed"] = True
    return json_response(shown, headers={"Cache-Control": "no-store"})


@router.on("POST", "/ui/step")
def step(call: Call) -> Response:
    """Go on with what a page's form sent."""
    flow, broker = _flow(call), call.broker
    broker.login_site.step(flow, read_object(call.request.body), now=broker.now)
    if not flow.is_done:
        response = json_response(_shown(call, flow))
        if flow.device:
            response.headers["Set-Cookie"] = (
                f"{DEVICE}={flow.device}; Path=/; HttpOnly; SameSite=Lax; Max-Age={DEVICE_S}"
            )
        return response
    del broker.login_site.flows[_cookie(call, FLOW)]
    code = broker.oauth.authorize(
        flow.client_id,
        flow.redirect_uri,
        flow.user,
        now=broker.now,
        linked=flow.picked,
        challenge=flow.challenge,
    )
    return json_response({"redirect": callback(flow.redirect_uri, code, flow.state)})


def callback(redirect_uri: str, code: str, state: str | None) -> str:
    """Return the address that a browser is sent to with its code."""
    answer = {"code": code, "session": str(uuid4())}
    if state is not None:
        answer["state"] = state
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"


def _shown(call: Call, flow: Flow) -> dict[str, Any]:
    shown: dict[str, Any] = {"route": flow.page, "page": flow.page.name.lower()}
    shown["error"] = flow.error
    if flow.page is Page.ACCOUNTS:
        accounts = call.broker.books.accounts_of.get(flow.user, [])
        shown["accounts"] = [{"id": one.hash, "ending": one.number[-3:]} for one in accounts]
    return shown


def _flow(call: Call) -> Flow:
    flow = call.broker.login_site.flows.get(_cookie(call, FLOW))
    if flow is None:
        raise trader_error(400, "We are unable to complete your request. Start again in the app.")
    return flow


def _cookie(call: Call, name: str) -> str:
    try:
        found = SimpleCookie(call.request.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _file(name: str) -> Response:
    body, kind = FILES[name]
    return Response(200, body, content_type=kind, headers={"Cache-Control": "no-store"})
