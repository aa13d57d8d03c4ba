"""Signing in and out, sessions that ended, and the headers of every page."""

import pytest

from accounts.decorators import SESSION_ENDED
from tests.support.fleet import PASSWORD
from tests.web.browsing import HTMX, text_of

ADDRESSES = [
    "/",
    "/desk/panels/orders/",
    "/desk/fleet/",
    "/desk/ticket/",
    "/desk/unknown/",
    "/desk/alarms/",
    "/desk/gate/",
]


def sign_in(client, *, name="agent", password=PASSWORD, after=""):
    return client.post("/sign-in/", {"username": name, "password": password, "next": after})


def test_the_right_password_opens_the_desk(client, fleet):
    answer = sign_in(client)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(client, fleet):
    wrong = text_of(sign_in(client, password="wrong"))
    unknown = text_of(sign_in(client, name="nobody"))

    assert 'role="alert"' in wrong
    assert "Please enter a correct username and password." in wrong
    assert "Please enter a correct username and password." in unknown
    assert "wrong" not in wrong
    assert client.get("/").status_code == 302


def test_after_signing_in_one_goes_where_one_wanted(client, fleet):
    page = client.get("/desk/ticket/")
    assert page["Location"] == "/sign-in/?next=/desk/ticket/"

    assert sign_in(client, after="/desk/ticket/")["Location"] == "/desk/ticket/"


@pytest.mark.parametrize(
    "after", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_after_signing_in_one_never_goes_elsewhere(client, fleet, after):
    assert sign_in(client, after=after)["Location"] == "/"


def test_signing_out_is_a_post_and_ends_the_session(agent):
    assert agent.get("/sign-out/").status_code == 405

    answer = agent.post("/sign-out/")

    assert answer["Location"] == "/sign-in/"
    assert agent.get("/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_strangers_are_sent_to_sign_in(client, address):
    assert client.get(address)["Location"] == f"/sign-in/?next={address}"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_open_page_whose_session_ended_is_told_so_and_gets_no_other_page(client, address):
    answer = client.get(address, headers=HTMX)

    assert answer.status_code == 401
    assert answer.content.decode() == SESSION_ENDED
    assert answer["Content-Type"] == "text/plain"


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_forbid_foreign_content_and_are_kept_out_of_caches(agent, address):
    answer = agent.get(address)

    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_hold_nothing_the_policy_forbids(agent, fleet, address):
    fleet.create(fleet.shares())

    page = text_of(agent.get(address))

    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert "hx-on" not in page
    assert "<script>" not in page
