"""The list of sessions: what it says, and what is ended there, or from the host."""

import pytest
from django.core.management import CommandError, call_command

from accounts.domain.devices import device_words
from accounts.domain.words import Role
from accounts.live.asking import session_name
from accounts.models import ApiRefresh, UserSession
from tests.api.caller import Caller
from tests.support.make import make_user
from tests.web.browsing import text_of
from tests.web.session_pages import FLEET, LIST, POLL, ended
from tests.web.signing_in import (
    CHROME,
    ELSEWHERE,
    FIREFOX,
    HERE,
    browser,
    is_in,
    key_of,
    sign_in,
)

pytestmark = pytest.mark.django_db


def test_the_list_says_what_is_signed_in_from_where_and_which_is_this_one(desk, user):
    other = sign_in(user, agent=FIREFOX, address=ELSEWHERE)
    sign_in(make_user(username="somebody"), agent="curl/8", address="203.0.113.9")

    shown = text_of(desk.get(LIST))

    for words in ("Chrome on Windows", HERE, "Firefox on Linux", ELSEWHERE, "End all others"):
        assert words in shown
    assert shown.count("this one") == 1
    rows = shown.split('<th scope="row">')
    assert ["this one" in row for row in rows] == [False, True, False]
    assert "Chrome on Windows" in rows[1]
    assert "203.0.113.9" not in shown
    assert key_of(desk) not in shown
    assert key_of(other) not in shown
    assert session_name(key_of(other)) in shown
    assert LIST in text_of(desk.get("/settings/"))


def test_one_click_ends_a_session_at_once(desk, user):
    other = sign_in(user, agent=FIREFOX)
    name = session_name(key_of(other))
    assert is_in(other)

    answer = desk.post(f"{LIST}end/", {"session": name}, follow=True)

    assert "The session is ended." in text_of(answer)
    assert other.get("/").status_code == 302
    assert other.get(FLEET, headers=POLL).status_code == 401
    assert other.get("/api/v1/orders/").status_code == 401
    assert is_in(desk)
    one = ended(old=name).get()
    assert (one.actor, one.subject) == ("agent", f"user:{user.pk}")
    assert one.data == {"device": "Firefox on Linux", "from": HERE, "kind": "PAGE"}


def test_another_click_ends_all_others(desk, user):
    others = [sign_in(user, agent=FIREFOX) for _ in range(3)]
    program = Caller(user)
    program.sign_in()
    stranger = sign_in(make_user())

    answer = desk.post(f"{LIST}end-others/", follow=True)

    assert "Sessions ended: 4. You are signed in here only." in text_of(answer)
    assert not any(is_in(other) for other in others)
    assert program.get("orders/").status_code == 401
    assert is_in(desk)
    assert is_in(stranger)


def test_programs_are_listed_and_ended_there_too(desk, user):
    program = Caller(user)
    program.client = browser(agent="python-requests/2.32")
    program.sign_in()
    shown = text_of(desk.get(LIST))
    assert "python-requests" in shown
    assert "by the API" in shown
    row = UserSession.objects.get(kind="API")
    assert row.expire_date == row.ends_at

    desk.post(f"{LIST}end/", {"session": session_name(row.session_key)})

    assert program.get("orders/").status_code == 401
    assert program.post("auth/refresh/").status_code == 401
    assert not ApiRefresh.objects.exists()


@pytest.mark.parametrize("name", ["", "nothing", "a" * 300])
def test_what_is_no_session_of_his_is_not_ended(desk, user, name):
    somebody = sign_in(make_user(Role.ADMIN))
    theirs = session_name(key_of(somebody))

    for wanted in (name, theirs, key_of(somebody)):
        shown = text_of(desk.post(f"{LIST}end/", {"session": wanted}, follow=True))
        assert "That session was over already." in shown

    assert is_in(somebody)
    assert not ended().exists()


def test_an_admin_sees_and_ends_what_others_are_signed_in_with(desk, user):
    program = Caller(user)
    program.sign_in()
    admin = sign_in(make_user(Role.ADMIN))
    assert "Who else is signed in" in text_of(admin.get(LIST))
    assert "Who else is signed in" not in text_of(desk.get(LIST))

    admin.post(f"{LIST}end-user/", {"user": user.pk})

    assert not is_in(desk)
    assert program.get("orders/").status_code == 401
    assert ended(reason="ended by an admin").count() == 2
    assert is_in(admin)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.EXIT_ONLY])
def test_nobody_else_ends_what_others_are_signed_in_with(desk, user, role):
    other = sign_in(make_user(role))

    assert other.post(f"{LIST}end-user/", {"user": user.pk}).status_code == 403

    assert is_in(desk)


@pytest.mark.parametrize("wanted", ["", "0", "99999", "-1", "x", "9" * 40])
def test_an_admin_ends_nothing_of_nobody(wanted):
    admin = sign_in(make_user(Role.ADMIN))

    assert admin.post(f"{LIST}end-user/", {"user": wanted}).status_code == 404


def test_the_host_ends_everything_of_a_user(desk, user, capsys):
    call_command("end_sessions", "agent")

    assert capsys.readouterr().out == "Sessions of agent ended: 1.\n"
    assert not is_in(desk)
    assert ended(reason="ended from the host", actor="host").count() == 1
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("end_sessions", "nobody")


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome on Windows"),
        (FIREFOX, "Firefox on Linux"),
        (CHROME + " Edg/131.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Version/18 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/131 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605.1", "Safari on macOS"),
        ("python-requests/2.32.3", "python-requests"),
        ("curl/8.5.0", "curl"),
        ("Firefox", "Firefox"),
        ("", "Unknown program"),
        ("\x1b[31m<b>é", "[31m<b>"),
        ("x" * 200, "x" * 40),
    ],
)
def test_a_device_is_named_in_plain_words(agent, words):
    assert device_words(agent) == words
