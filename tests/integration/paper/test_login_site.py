"""The login pages as a program sees them: every way through, wrong passwords, picked accounts."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.paper import PaperBroker
from tests.support.visiting import Visitor


@pytest.fixture
def visitor(paper: PaperBroker) -> Iterator[Visitor]:
    visitor = Visitor(paper, paper.logins()[0])
    yield visitor
    visitor.session.close()


def test_the_usual_way_ends_at_the_callback_with_a_code_that_works(paper, visitor):
    opened = visitor.open(state="a-state")
    assert (opened.status_code, opened.headers["Location"]) == (302, "/ui/host/#/login-one-step")
    assert visitor.look()["route"] == "/login-one-step"
    assert visitor.sign_in()["route"] == "/placeholder"
    assert visitor.send(code=visitor.code())["route"] == "/devicetag/remember"
    assert visitor.send(remember="no")["route"] == "/third-party-auth/cag"
    address = visitor.link(*(one["hash"] for one in visitor.login["accounts"]))

    query = parse_qs(urlsplit(address).query)
    assert address.startswith(visitor.login["callback_url"])
    assert query["state"] == ["a-state"]
    answer = requests.post(
        f"{paper.url}/v1/oauth/token",
        auth=(visitor.login["app_key"], visitor.login["app_secret"]),
        data={
            "grant_type": "authorization_code",
            "code": query["code"][0],
            "redirect_uri": visitor.login["callback_url"],
        },
        timeout=10,
    )
    assert answer.status_code == 200


def test_a_remembered_device_is_asked_for_no_code_again(visitor):
    visitor.sign_in()
    visitor.send(code=visitor.code())
    visitor.send(remember="yes")

    assert visitor.sign_in()["page"] == "consent"


def test_a_phone_that_approves_lets_the_page_go_on_by_itself(paper, visitor):
    paper.treat(factor="picker", approves_after_s=0)
    visitor.sign_in()
    assert visitor.look()["route"] == "/authenticators"
    visitor.send(way="mobile_approve")

    assert visitor.look()["page"] == "device"


def test_notices_stand_in_the_way_one_after_the_other(paper, visitor):
    paper.treat(factor="none", notices=2)
    assert visitor.sign_in()["page"] == "notice"
    assert visitor.send()["page"] == "notice"
    assert visitor.send()["page"] == "consent"


def test_the_third_wrong_password_locks_the_login_even_for_the_right_one(visitor):
    words = [visitor.sign_in(password="wrong")["error"] for _ in range(3)]
    assert "try again" in words[0]
    assert "locked" in words[2]
    assert "locked" in visitor.sign_in()["error"]


def test_a_wrong_code_and_no_account_are_said_on_their_pages(paper, visitor):
    visitor.sign_in()
    assert "security code" in visitor.send(code="000000")["error"]
    visitor.send(code=visitor.code())
    visitor.send(remember="no")
    visitor.send(accepted=True)
    assert "at least one" in visitor.send(accounts=[])["error"]


def test_only_the_accounts_that_were_picked_can_be_seen(request):
    paper = PaperBroker(accounts=3, accounts_per_login=3)
    request.addfinalizer(paper.stop)
    paper.treat(factor="none")
    visitor = Visitor(paper, paper.logins()[0])
    request.addfinalizer(visitor.session.close)
    first, second, third = (one["hash"] for one in visitor.login["accounts"])
    visitor.sign_in()
    code = parse_qs(urlsplit(visitor.link(first, third)).query)["code"][0]
    issued = requests.post(
        f"{paper.url}/v1/oauth/token",
        auth=(visitor.login["app_key"], visitor.login["app_secret"]),
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": visitor.login["callback_url"],
        },
        timeout=10,
    ).json()
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    url = f"{paper.url}/trader/v1/accounts"

    listed = requests.get(f"{url}/accountNumbers", headers=headers, timeout=10).json()
    assert [one["hashValue"] for one in listed] == [first, third]
    assert requests.get(f"{url}/{second}", headers=headers, timeout=10).status_code == 404


def test_an_app_or_a_callback_that_nobody_registered_is_refused_at_once(visitor):
    assert visitor.open(client_id="nobody").status_code == 401
    assert visitor.open(redirect_uri="https://127.0.0.1/other").status_code == 400


@pytest.mark.parametrize(("body", "page"), [("unexpected", "unexpected"), ("changed", "login")])
def test_a_fault_shows_another_page_once(paper, visitor, body, page):
    visitor.open()
    paper.fault("login_page", body=body)

    shown = visitor.look()

    assert shown["page"] == page
    assert shown.get("is_changed", False) is (body == "changed")
    assert visitor.look()["page"] == "login"
    assert "is_changed" not in visitor.look()


def test_a_browser_without_a_beginning_is_sent_back(visitor):
    assert "Start again" in visitor.look()["message"]


@pytest.mark.parametrize("fields", [{"factor": "magic"}, {"notices": "many"}, {"shoe_size": 44}])
def test_habits_must_make_sense(paper, fields):
    answer = requests.post(f"{paper.url}/paper/logins", json=fields, timeout=10)
    assert answer.status_code == 400


def test_how_a_user_is_treated_changes_as_a_whole_or_not_at_all(paper, visitor):
    asked = {"login": visitor.login["user"], "notices": 3, "factor": "none", "asks_device": "maybe"}

    answer = requests.post(f"{paper.url}/paper/logins", json=asked, timeout=10)

    assert answer.status_code == 400
    assert visitor.sign_in()["page"] == "code"
