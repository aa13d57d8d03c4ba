"""Stolen passwords, cookies and keys: told of where they are used, and dead once they are ended."""

import pytest
from django.contrib.auth import login
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest
from django.test import Client

from accounts.models import Alarm, AuditEvent, UserSession
from accounts.services.session_store import SessionStore
from tests.api.caller import Caller
from tests.support.make import make_user
from tests.web.browsing import text_of
from tests.web.signing_in import (
    CHROME,
    CHROME_LATER,
    ELSEWHERE,
    FIREFOX,
    HERE,
    browser,
    is_in,
    key_of,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(username="agent")


def alarms() -> list[str]:
    return list(Alarm.objects.filter(code="NEW_DEVICE").values_list("words", flat=True))


def thief_of(page: Client, **place: str) -> Client:
    """Somebody who copied the cookie."""
    thief = browser(**place)
    thief.cookies["sessionid"] = key_of(page)
    return thief


def test_the_first_sign_in_of_all_and_one_from_the_same_place_raise_none(user):
    sign_in(user)
    sign_in(user)
    sign_in(user, agent=CHROME_LATER)
    sign_in(make_user(), agent=FIREFOX, address=ELSEWHERE)

    assert alarms() == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"agent": FIREFOX}, f"Firefox on Linux, {HERE}."),
        ({"address": ELSEWHERE}, f"Chrome on Windows, {ELSEWHERE}."),
    ],
)
def test_a_sign_in_from_another_device_or_address_raises_one_once(user, place, words):
    page = sign_in(user)

    sign_in(user, **place)
    sign_in(user, **place)

    (said,) = alarms()
    assert said.startswith(f"agent signed in from somewhere new: {words}")
    shown = text_of(page.get("/"))
    assert said in shown
    assert 'href="/settings/sessions/"' in shown


def test_so_does_that_of_a_program(user):
    sign_in(user)
    program = Caller(user, browser(agent="curl/8.5.0", address=ELSEWHERE))

    program.sign_in()

    (said,) = alarms()
    assert f"curl, {ELSEWHERE}" in said


def test_a_cookie_that_is_used_elsewhere_raises_one_whatever_it_is_used_for(user):
    page = sign_in(user)
    thief = thief_of(page, agent=FIREFOX, address=ELSEWHERE)

    thief.post("/desk/send/", {})
    thief.get("/")
    page.get("/")

    (said,) = alarms()
    assert said.startswith(
        f"A session of agent that began on Chrome on Windows, {HERE}, is used on Firefox on "
        f"Linux, {ELSEWHERE}."
    )
    event = AuditEvent.objects.get(kind="session used elsewhere")
    assert (event.address, event.data["device"]) == (ELSEWHERE, "Firefox on Linux")


def test_so_does_an_access_token(user):
    program = Caller(user, browser(agent="curl/8.5.0"))
    program.sign_in()
    thief = Caller(user, browser(agent=CHROME, address=ELSEWHERE), program.access)

    assert thief.get("orders/").status_code == 200
    assert thief.get("orders/").status_code == 200

    (said,) = alarms()
    assert f"is used on Chrome on Windows, {ELSEWHERE}" in said


def test_a_place_from_which_he_signed_in_before_raises_none(user):
    sign_in(user, address=ELSEWHERE)
    Alarm.objects.all().delete()
    page = sign_in(user)
    Alarm.objects.all().delete()

    assert thief_of(page, address=ELSEWHERE).get("/").status_code == 200

    assert alarms() == []


def test_who_cannot_be_told_from_the_first_place_is_no_second_one(user):
    """Of X-Forwarded-For only what our own proxy appended is believed; here there is none."""
    sign_in(user)
    client = browser()

    client.get("/sign-in/", headers={"x-forwarded-for": ELSEWHERE})
    sign_in(user, client)

    assert alarms() == []
    assert {row.address for row in UserSession.objects.all()} == {HERE}


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        (ELSEWHERE, ELSEWHERE),
        (f"10.0.0.1, evil, {ELSEWHERE}", ELSEWHERE),
        (f"{ELSEWHERE},203.0.113.9", "203.0.113.9"),
        ("", HERE),
    ],
)
def test_behind_our_proxy_its_last_word_alone_says_who_asks(user, settings, told, believed):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    client = browser()
    client.defaults["HTTP_X_FORWARDED_FOR"] = told

    sign_in(user, client)

    assert UserSession.objects.get().address == believed
    assert AuditEvent.objects.get(kind="sign-in").address == believed


def test_a_planted_key_opens_nothing(user):
    planted = SessionStore()
    planted["by"] = "somebody else"
    planted.save()
    client = browser()
    client.cookies["sessionid"] = planted.session_key or ""

    sign_in(user, client)

    assert key_of(client) != planted.session_key
    assert not UserSession.objects.filter(pk=planted.session_key).exists()


def test_proving_again_who_one_is_gives_another_key(user):
    client = sign_in(user)
    stolen = thief_of(client)
    assert is_in(stolen)
    asked = HttpRequest()
    asked.session = SessionStore(key_of(client))

    login(asked, user, "django.contrib.auth.backends.ModelBackend")
    asked.session.save()
    client.cookies["sessionid"] = asked.session.session_key or ""

    assert is_in(client)
    assert not is_in(stolen)


def test_after_signing_out_neither_the_cookie_nor_the_way_back_shows_anything(user):
    client = sign_in(user)
    shown = client.get("/settings/sessions/")
    stolen = thief_of(client)

    client.post("/sign-out/")

    assert shown["Cache-Control"] == "no-store"
    for one in (client, stolen):
        assert one.get("/settings/sessions/").status_code == 302
        assert one.post("/settings/sessions/stay/").status_code == 302
        assert one.get("/api/v1/orders/").status_code == 401


def test_a_session_that_is_ended_while_it_is_used_does_not_come_back(user):
    client = sign_in(user)
    session = client.session
    session["proved_at"] = "now"
    UserSession.objects.all().delete()

    with pytest.raises(UpdateError):
        session.save()
    assert not UserSession.objects.exists()


def test_the_key_of_a_session_is_on_no_page_and_in_no_record(user):
    client = sign_in(user)

    said = repr(list(AuditEvent.objects.values())) + repr(UserSession.objects.get())

    assert key_of(client) not in said
    for address in ("/settings/sessions/", "/record/", "/"):
        assert key_of(client).encode() not in client.get(address).content
