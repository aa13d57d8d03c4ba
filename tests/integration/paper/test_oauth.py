"""Signing in: codes, tokens, their ends and how the broker says so."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.integration.paper.trader import Trader
from tests.support.paper import PaperBroker


@pytest.fixture
def login(paper: PaperBroker) -> Any:
    paper.tokens(rotate=False)
    return paper.logins()[0]


@pytest.fixture
def ask(paper: PaperBroker, login: Any) -> Iterator[Any]:
    """Send a form to the token endpoint."""
    session = requests.Session()
    session.trust_env = False

    def send(*, secret: str | None = None, key: str | None = None, **form: str) -> Any:
        auth = (key or login["app_key"], secret or login["app_secret"])
        return session.post(f"{paper.url}/v1/oauth/token", auth=auth, data=form, timeout=10)

    yield send
    session.close()


def works(paper: PaperBroker, access_token: str) -> bool:
    headers = {"Authorization": f"Bearer {access_token}"}
    url = f"{paper.url}/trader/v1/accounts/accountNumbers"
    return requests.get(url, headers=headers, timeout=10).ok


def test_a_code_becomes_tokens_once(paper: PaperBroker, login: Any, ask: Any) -> None:
    code, callback = paper.authorize(login), login["callback_url"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}

    first, second = ask(**form), ask(**form)

    issued = first.json()
    assert first.headers["Cache-Control"] == "no-store"
    assert set(issued) == {
        *("expires_in", "token_type", "scope", "refresh_token", "access_token", "id_token")
    }
    assert (issued["expires_in"], issued["scope"]) == (1800, "api")
    assert issued["access_token"].startswith("I0.")
    assert issued["access_token"].endswith("@")
    assert issued["refresh_token"].endswith("@")
    assert works(paper, issued["access_token"])
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


def test_the_redirect_has_the_code_encoded_a_session_and_the_state(
    paper: PaperBroker, login: Any
) -> None:
    body = {"client_id": login["app_key"], "redirect_uri": login["callback_url"], "state": "a b/c"}

    answer = requests.post(f"{paper.url}/paper/authorize", json=body, timeout=10).json()

    parts = urlsplit(answer["redirect"])
    query = parse_qs(parts.query)
    assert answer["redirect"].startswith(f"{login['callback_url']}?code=C0.")
    assert "%40&" in parts.query
    assert (query["state"], len(query["session"][0])) == (["a b/c"], 36)


def test_a_code_is_only_good_for_its_callback_and_for_half_a_minute(
    paper: PaperBroker, login: Any, ask: Any
) -> None:
    def exchange(callback: str) -> Any:
        code = paper.authorize(login)
        paper.clock(31 if callback == login["callback_url"] else 0)
        return ask(grant_type="authorization_code", code=code, redirect_uri=callback).json()

    assert exchange("https://127.0.0.1/other")["error"] == "invalid_request"
    assert exchange(login["callback_url"])["error"] == "invalid_grant"


@pytest.mark.parametrize("field", ["client_id", "redirect_uri", "login"])
def test_only_registered_apps_callbacks_and_users_get_a_code(
    paper: PaperBroker, login: Any, field: str
) -> None:
    body = {"client_id": login["app_key"], "redirect_uri": login["callback_url"]}

    answer = requests.post(f"{paper.url}/paper/authorize", json=body | {field: "x"}, timeout=10)

    assert answer.status_code in (400, 401)


def test_both_registered_callbacks_get_a_code(paper: PaperBroker, login: Any) -> None:
    assert login["callback_url"] == "https://127.0.0.1/callback"
    assert paper.authorize(login, redirect_uri="http://127.0.0.1:8000/oauth/callback/")


def test_another_user_can_sign_in_under_an_app(paper: PaperBroker, login: Any, ask: Any) -> None:
    other = paper.logins()[1]
    code = paper.authorize(login, login=other["user"])
    form = {"code": code, "redirect_uri": login["callback_url"]}
    issued = ask(grant_type="authorization_code", **form).json()

    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    url = f"{paper.url}/trader/v1/accounts/accountNumbers"
    shown = requests.get(url, headers=headers, timeout=10).json()

    assert [one["hashValue"] for one in shown] == [other["accounts"][0]["hash"]]


def test_a_refresh_gives_the_same_refresh_token_unless_it_rotates(
    paper: PaperBroker, login: Any, ask: Any
) -> None:
    first = paper.sign_in(login)["refresh_token"]
    same = ask(grant_type="refresh_token", refresh_token=first).json()
    paper.tokens(login=login["user"], rotate=True)
    rotated = ask(grant_type="refresh_token", refresh_token=first).json()
    old = ask(grant_type="refresh_token", refresh_token=first)

    assert same["refresh_token"] == first
    assert rotated["refresh_token"] != first
    assert old.status_code == 400
    assert works(paper, same["access_token"])
    assert works(paper, rotated["access_token"])


@pytest.mark.parametrize("how", ["expire", "revoke"])
def test_a_dead_refresh_token_is_told_as_captured(
    paper: PaperBroker, login: Any, ask: Any, how: str
) -> None:
    issued = paper.sign_in(login)
    paper.tokens(login=login["user"], refresh=how)

    answer = ask(grant_type="refresh_token", refresh_token=issued["refresh_token"])

    body = answer.json()
    inner = json.loads(body["error_description"].removeprefix('400 Bad Request: "')[:-1])
    assert (answer.status_code, body["error"]) == (400, "unsupported_token_type")
    assert inner["error"] == "refresh_token_authentication_error"
    assert "tokenDigest=" in inner["error_description"]
    assert works(paper, issued["access_token"])


@pytest.mark.parametrize("how", ["expire", "revoke"])
def test_a_dead_access_token_is_told_by_the_gateway(trader: Trader, how: str) -> None:
    trader.paper.tokens(login=trader.login["user"], access=how)

    for path in ("/trader/v1/accounts", "/marketdata/v1/quotes?symbols=F"):
        answer = trader.call("GET", path)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["status"], error["title"]) == (401, 401, "Unauthorized")
        assert error["detail"] == "Client not authorized"


def test_a_new_login_supersedes_the_refresh_token_before(
    paper: PaperBroker, login: Any, ask: Any
) -> None:
    old = paper.sign_in(login)["refresh_token"]
    new = paper.sign_in(login)["refresh_token"]

    assert ask(grant_type="refresh_token", refresh_token=old).status_code == 400
    assert ask(grant_type="refresh_token", refresh_token=new).status_code == 200


def test_tokens_live_by_the_broker_s_clock(paper: PaperBroker, login: Any, ask: Any) -> None:
    issued = paper.sign_in(login)
    paper.clock(1801)
    is_alive_after_half_an_hour = works(paper, issued["access_token"])
    paper.clock(7 * 86_400 - 60)
    refreshed = ask(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    paper.clock(7 * 86_400 + 60)
    too_late = ask(grant_type="refresh_token", refresh_token=issued["refresh_token"])

    assert not is_alive_after_half_an_hour
    assert (refreshed.status_code, too_late.status_code) == (200, 400)


def test_wrong_credentials_are_refused(login: Any, ask: Any, paper: PaperBroker) -> None:
    token = paper.sign_in(login)["refresh_token"]

    wrong = ask(secret="x" * 16, grant_type="refresh_token", refresh_token=token)
    unknown = ask(key="x" * 32, grant_type="refresh_token", refresh_token=token)
    foreign = paper.logins()[1]
    other_app = ask(
        key=foreign["app_key"],
        secret=foreign["app_secret"],
        grant_type="refresh_token",
        refresh_token=token,
    )
    nothing = requests.post(f"{paper.url}/v1/oauth/token", timeout=10)

    assert [one.status_code for one in (wrong, unknown, nothing)] == [401] * 3
    assert wrong.json()["error"] == "invalid_client"
    assert other_app.status_code == 400


def test_an_unknown_grant_type_is_refused(ask: Any) -> None:
    answer = ask(grant_type="password")

    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


def test_requests_without_a_token_are_refused(paper: PaperBroker) -> None:
    trader = requests.get(f"{paper.url}/trader/v1/accounts", timeout=10)
    market = requests.get(f"{paper.url}/marketdata/v1/quotes?symbols=F", timeout=10)

    assert trader.status_code == 401
    assert market.status_code == 400
    assert market.json()["errors"][0]["source"] == {"header": "Authorization"}
