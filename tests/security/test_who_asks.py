"""Who asks, and from where: other sites, planted and stolen sessions, made-up names."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.security.walking import every_place, everything, visit
from tests.support.make import PASSWORD, make_user


@pytest.fixture
def strict(world) -> Client:
    """A browser whose forms are checked, and its token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.fleet.agent)
    client.get("/settings/")
    return client


def test_no_page_acts_without_its_token(world, strict):
    before, wrong = everything(), []
    for place in every_place(world.values):
        answer = visit(strict, place, "POST")
        is_open = place.address.startswith("/api/v1/auth/") or place.address == "/api/nothing/"
        if answer.status_code not in {403, 405} and not is_open:
            wrong.append((place.address, answer.status_code))
    assert wrong == []
    assert everything() == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_nothing_is_taken_from_a_page_of_another_site_even_with_a_token(world, agent, site):
    before, wrong = everything(), []
    agent.defaults["HTTP_SEC_FETCH_SITE"] = site
    for place in every_place(world.values):
        answer = visit(agent, place, "POST")
        if answer.status_code != 403:
            wrong.append((place.address, answer.status_code))
    assert wrong == []
    assert everything() == before
    assert agent.get("/").status_code == 200
    problem = json.loads(agent.post("/api/v1/orders/").content)
    assert problem["code"] == "from_elsewhere"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_form_cannot_pass_for_json(agent, world, kind):
    before = everything()
    answer = agent.generic("POST", "/api/v1/orders/", '{"contracts": 1, "x": "="}', kind)
    assert answer.status_code in {400, 415}
    assert everything() == before


def test_reading_cannot_be_turned_into_writing(agent, world):
    before = everything()
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        answer = agent.get("/desk/freeze/?_method=POST", headers={name: "POST"})
        assert answer.status_code == 405
    assert everything() == before


def sign_in(client: Client, user: User, after: str = "") -> None:
    client.post("/sign-in/", {"username": user.username, "password": PASSWORD, "next": after})


@pytest.mark.parametrize("after", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_who_is_signed_in_already_is_not_led_elsewhere(agent, after):
    assert agent.get("/sign-in/", {"next": after})["Location"] == "/"


def test_an_unknown_name_is_answered_as_a_wrong_password_is(world):
    make_user(username="known")
    answers, costs = [], []
    for name in ("another", "known", "nobody"):  # the first one begins the count of the address
        with CaptureQueriesContext(connection) as queries:
            body = json.dumps({"username": name, "password": "x"})
            answers.append(
                Client().post("/api/v1/auth/token/", body, content_type="application/json")
            )
        costs.append(len(queries))
    assert answers[0].content == answers[1].content == answers[2].content
    assert answers[0].status_code == answers[1].status_code == 401
    assert costs[1] == costs[2]
