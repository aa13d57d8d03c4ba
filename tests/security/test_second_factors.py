"""Guessing and replaying codes, fixing sessions, and ways around all of it (A4, A6, A41, A45)."""

import re

import pytest
from django.db import connection
from django.urls import get_resolver
from django.utils import timezone

from accounts.domain.words import Role
from accounts.models import AuditEvent, RecoveryCode
from accounts.services.proving import FRESH_S
from accounts.services.second_factors import WrongFactor, check_code
from tests.security.getting_in import PAGE, SECOND, at_once, is_in, kinds, sign_in, visitor
from tests.support.factors import give_app, give_codes, wrong_code
from tests.support.make import PASSWORD, make_user
from tests.web.browsing import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(Role.AGENT, username="agent")


# --- A4: guessing and replaying codes -------------------------------------------------------------------


def test_codes_are_tried_five_times_in_a_session_and_ten_times_in_all(user):
    app = give_app(user)
    code, wrong = app.code(), wrong_code(app)
    for address in ("192.0.2.1", "192.0.2.2"):
        thief = visitor(address)
        sign_in(thief)
        for _ in range(5):
            assert thief.post(SECOND, {"code": wrong}).status_code == 200
        assert thief.post(SECOND, {"code": code})["Location"] == "/sign-in/"

    third = visitor("192.0.2.3")
    sign_in(third)

    assert "Too many tries." in text_of(third.post(SECOND, {"code": code}))
    assert not is_in(third)
    assert kinds("second factor refused", "locked out") == ["second factor refused"] * 10 + [
        "locked out"
    ]


def test_a_code_that_was_used_is_refused_everywhere(user):
    code = give_app(user).code()
    first, second = visitor(), visitor("192.0.2.2")
    sign_in(first)
    sign_in(second)

    assert first.post(SECOND, {"code": code})["Location"] == "/"
    assert "That code was used before." in text_of(second.post(SECOND, {"code": code}))
    assert not is_in(second)


def test_a_code_older_than_the_last_one_is_refused(user):
    app = give_app(user)
    old, new = app.code(), app.code()
    check_code(user, new, now=timezone.now())

    with pytest.raises(WrongFactor, match="used before"):
        check_code(user, old, now=timezone.now())


@pytest.mark.parametrize("later", [-4, 4])
def test_a_code_of_another_time_is_refused(user, later):
    with pytest.raises(WrongFactor):
        check_code(user, give_app(user).code(later=later), now=timezone.now())


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "\uff11\uff12\uff13\uff14\uff15\uff16", "12345a", "0" * 40]
)
def test_what_is_no_code_is_refused(user, code):
    give_app(user)
    with pytest.raises(WrongFactor):
        check_code(user, code, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_get_one_code_at_once_one_takes_it(user):
    code = give_app(user).code()

    assert sorted(at_once(8, lambda: check_code(user, code, now=timezone.now()))) == [
        *["WrongFactor"] * 7,
        "ok",
    ]


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_get_one_recovery_code_at_once_one_takes_it(user):
    give_app(user)
    code = give_codes(user)[2]

    assert at_once(8, lambda: check_code(user, code, now=timezone.now())).count("ok") == 1
    assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1


# --- A6: fixed sessions ---------------------------------------------------------------------------------


def test_every_step_of_a_sign_in_has_a_session_key_of_its_own(user):
    app, browser = give_app(user), visitor()
    session = browser.session
    session["planted"] = True
    session.save()
    browser.cookies["sessionid"] = session.session_key
    keys = [session.session_key]

    sign_in(browser)
    keys.append(browser.cookies["sessionid"].value)
    browser.post(SECOND, {"code": app.code()})
    keys.append(browser.cookies["sessionid"].value)
    browser.post("/prove/", {"password": PASSWORD, "code": app.code(), "next": "/"})
    keys.append(browser.cookies["sessionid"].value)

    assert len(set(keys)) == 4
    assert is_in(browser)
    for key in keys[:3]:
        thief = visitor()
        thief.cookies["sessionid"] = key
        assert not is_in(thief)


def test_between_password_and_second_factor_nobody_is_in(user):
    give_app(user)
    browser = visitor()
    sign_in(browser)

    for address in ("/", "/settings/", PAGE, "/prove/", "/live/stream/", "/api/v1/orders/"):
        assert browser.get(address).status_code in {204, 302, 401}
    assert browser.post(f"{PAGE}app/")["Location"].startswith("/sign-in/")


# --- A41: an insider ------------------------------------------------------------------------------------


def test_who_finds_an_open_browser_neither_opens_the_fleet_nor_takes_it_over(user):
    give_app(user)
    browser = visitor()
    browser.force_login(user)
    session = browser.session
    session["proved_at"] -= FRESH_S + 1
    session.save()

    browser.post("/desk/freeze/")
    wish = {"what": "FLEET:", "mode": "OPEN", "password": PASSWORD}
    for address, body in {
        "/desk/modes/": wish,
        "/logins/new/": {"label": "Mine"},
        f"{PAGE}app/": {},
        f"{PAGE}app/remove/": {},
        f"{PAGE}codes/": {},
    }.items():
        assert browser.post(address, body)["Location"].startswith("/prove/")

    assert "proved again" not in kinds("proved again", "factor removed")
    assert user.totp_secrets.count() == 1
    # With the password alone he does not get on either.
    answer = browser.post("/prove/", {"password": PASSWORD, "next": "/"})
    assert answer.status_code == 200


def test_a_password_is_not_guessed_where_a_mode_asks_for_it(user):
    browser = visitor()
    browser.force_login(user)
    browser.post("/desk/freeze/")
    wish = {"what": "FLEET:", "mode": "CLOSE_ONLY", "why": "a test says so"}
    for number in range(5):
        page = browser.post("/desk/modes/", {**wish, "password": f"guess {number}"})
        assert "That is not your password." in text_of(page)

    assert "Too many tries." in text_of(
        browser.post("/desk/modes/", {**wish, "password": PASSWORD})
    )
    assert browser.post("/desk/freeze/")["Location"] == "/desk/modes/"


# --- A45: ways around it --------------------------------------------------------------------------------


def test_there_is_no_way_to_reset_a_password_or_a_factor_by_oneself():
    words = re.compile(r"reset|forgot|recover(?!y)|register|sign-?up", re.IGNORECASE)

    assert [route for route in routes(get_resolver().url_patterns) if words.search(route)] == []


def routes(patterns, before=""):
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def test_recovery_codes_alone_are_no_second_factor(user):
    give_app(user)
    codes = give_codes(user)
    user.totp_secrets.all().delete()

    with pytest.raises(WrongFactor):
        check_code(user, codes[0], now=timezone.now())


def test_the_secrets_of_second_factors_stand_in_no_page_no_event_and_no_row(user):
    app, codes = give_app(user), give_codes(user)
    browser = visitor()
    sign_in(browser)
    browser.post(SECOND, {"code": app.code()})
    pages = [text_of(browser.get(place)) for place in (PAGE, "/settings/", "/record/")]

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_totpsecret")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT * FROM accounts_recoverycode")
        rows += str(cursor.fetchall())
    said = rows + str(list(AuditEvent.objects.values())) + "".join(pages)

    assert app.secret not in said
    assert not [code for code in codes if code in said or code[2:].replace("-", "") in said]
