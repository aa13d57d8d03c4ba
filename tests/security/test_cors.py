"""Scripts of other sites: none may call, but those of the one origin that a setting names."""

import json

import pytest
from django.conf import settings as ours

from tests.api.caller import Caller
from tests.support.make import PASSWORD, make_user
from tradeswim import env

pytestmark = pytest.mark.django_db
ORIGIN = "https://desk.example"
FROM_THERE = {"origin": ORIGIN, "sec-fetch-site": "cross-site"}
ASKING = {**FROM_THERE, "access-control-request-method": "POST"}
FOREIGN = [
    "https://evil.example",
    "http://desk.example",
    "https://desk.example:8443",
    "https://desk.example.evil.example",
    "https://sub.desk.example",
    "https://DESK.example",
    "null",
    "*",
    "",
]


@pytest.fixture
def opened(settings):
    settings.CORS_ORIGIN = ORIGIN


def words_in(answer) -> set[str]:
    return {name for name in answer.headers if name.startswith("Access-Control-")}


def test_no_site_is_named_unless_somebody_names_it():
    assert ours.CORS_ORIGIN == ""


@pytest.mark.parametrize("address", ["/api/v1/orders/", "/api/v1/auth/token/", "/", "/sign-in/"])
def test_without_the_setting_nobody_is_let_in(client, address):
    assert words_in(client.get(address, headers=FROM_THERE)) == set()
    assert words_in(client.options(address, headers=ASKING)) == set()
    assert client.post(address, headers=FROM_THERE).status_code == 403


def test_a_script_of_the_named_origin_signs_in_and_calls_with_its_token(client, opened):
    user = make_user()
    asked = client.options("/api/v1/auth/token/", headers=ASKING)
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == ORIGIN
    assert "Idempotency-Key" in asked["Access-Control-Allow-Headers"]

    body = json.dumps({"username": user.username, "password": PASSWORD})
    signed_in = client.post(
        "/api/v1/auth/token/", body, content_type="application/json", headers=FROM_THERE
    )
    client.cookies.clear()
    bearer = {"authorization": f"Bearer {signed_in.json()['access']}"}
    read = client.get("/api/v1/orders/", headers={**FROM_THERE, **bearer})
    wrong = client.post("/api/v1/orders/", headers={**FROM_THERE, **bearer})

    assert (read.status_code, read["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert wrong.status_code == 400  # it was heard; that it says what is wrong is the point
    assert wrong["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in read["Vary"]


def test_refusals_can_be_read_there_too(client, opened):
    answer = client.get("/api/v1/orders/", headers=FROM_THERE)

    assert answer.status_code == 401
    assert answer["Access-Control-Allow-Origin"] == ORIGIN


def test_cookies_are_never_let_in(client, opened):
    user = make_user()
    caller = Caller(user)
    caller.sign_in()
    client.force_login(user)
    for page in (client, caller.client):
        answer = page.post("/api/v1/auth/refresh/", headers=FROM_THERE)
        assert answer.status_code == 403
        assert json.loads(answer.content)["code"] == "from_elsewhere"
        asked = page.options("/api/v1/orders/", headers=ASKING)
        assert "Access-Control-Allow-Credentials" not in asked.headers
        assert asked["Access-Control-Allow-Origin"] != "*"


@pytest.mark.parametrize("address", ["/", "/desk/send/", "/sign-in/", "/admin/login/", "/apix/"])
def test_the_pages_stay_closed(client, opened, address):
    assert words_in(client.get(address, headers=FROM_THERE)) == set()
    assert words_in(client.options(address, headers=ASKING)) == set()
    assert client.post(address, headers=FROM_THERE).status_code == 403


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_other_origin_is_let_in(client, opened, origin):
    there = {**ASKING, "origin": origin}

    answer = client.get("/api/v1/orders/", headers=there)

    assert words_in(answer) == set()
    assert "Origin" in answer["Vary"]
    assert words_in(client.options("/api/v1/orders/", headers=there)) == set()
    assert client.post("/api/v1/orders/", headers=there).status_code == 403


@pytest.mark.parametrize(
    "value",
    [
        "*",
        "https://*",
        "https://*.example",
        "null",
        "desk.example",
        "https://desk.example/app",
        "https://desk.example?x",
        "https://Desk.example",
        "https://a.example,https://b.example",
        "https://user:secret@desk.example",
        "ftp://desk.example",
    ],
)
def test_a_setting_that_is_no_single_origin_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("TRADESWIM_CORS_ORIGIN", value)

    with pytest.raises(env.BadSetting, match="TRADESWIM_CORS_ORIGIN") as refused:
        env.origin("TRADESWIM_CORS_ORIGIN")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("value", ["", "https://desk.example", "http://127.0.0.1:8080"])
def test_a_setting_that_is_one_is_taken(monkeypatch, value):
    monkeypatch.setenv("TRADESWIM_CORS_ORIGIN", value)

    assert env.origin("TRADESWIM_CORS_ORIGIN") == value
