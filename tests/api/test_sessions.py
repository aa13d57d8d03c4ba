"""A program signs in, renews, signs out; whatever ends its session ends it at once."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from accounts.domain.words import Role
from accounts.models import ApiRefresh, AuditEvent, UserSession
from accounts.services.session_ends import forget_ended
from tests.api.caller import Caller, faults_of, may_read, problem_of
from tests.support.make import PASSWORD, make_user

COOKIE = "tradeswim-refresh"


@pytest.fixture
def program(db) -> Caller:
    """A program of an agent that has not signed in yet."""
    return Caller(make_user(username="agent"))


def sign_in_as(username, password):
    return Caller().post("auth/token/", {"username": username, "password": password})


def test_signing_in_gives_an_access_token_and_a_refresh_cookie(program):
    answer = program.sign_in()

    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "expires_in"}
    assert answer.json()["expires_in"] == 300
    assert answer["Cache-Control"] == "no-store"
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert (cookie["path"], cookie["max-age"]) == ("/api/v1/auth/", 12 * 3600)
    assert cookie.value not in answer.content.decode()
    assert may_read(program)


def test_the_refresh_cookie_is_only_sent_over_tls_where_there_is_tls(program, settings):
    settings.SESSION_COOKIE_SECURE = True

    assert program.sign_in().cookies[COOKIE]["secure"]


@pytest.mark.parametrize(
    ("username", "password"),
    [("agent", "wrong"), ("nobody", PASSWORD), ("AGENT", PASSWORD), ("agent", PASSWORD + " ")],
)
def test_wrong_credentials_get_one_and_the_same_answer(program, username, password):
    answer = sign_in_as(username, password)

    body = problem_of(answer, 401, "authentication_failed")
    assert body["detail"] == "Wrong user name or password."
    assert answer["WWW-Authenticate"] == "Bearer"
    assert COOKIE not in answer.cookies


def test_a_user_who_was_switched_off_cannot_sign_in(program):
    program.user.is_active = False
    program.user.save()

    problem_of(program.sign_in(), 401, "authentication_failed")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {("username", "required"), ("password", "required")}),
        ({"username": "a\x00b", "password": "x"}, {("username", "null_characters_not_allowed")}),
        ({"username": ["agent"], "password": "x"}, {("username", "invalid")}),
        ({"username": "agent", "password": "x" * 201}, {("password", "max_length")}),
    ],
)
def test_credentials_that_are_none_are_refused(db, body, fields):
    assert faults_of(Caller().post("auth/token/", body)) == fields


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer \xff", "x y z"],
)
def test_a_call_without_a_good_token_is_refused(program, header):
    headers = {"Authorization": header} if header else {}

    answer = program.client.get("/api/v1/orders/", headers=headers)

    assert problem_of(answer, 401, answer.json()["code"])["code"] in {
        "not_authenticated",
        "authentication_failed",
    }
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["orders/", "orders/1/", "accounts/", "expirations/SPX/"])
def test_nothing_is_shown_to_strangers(db, path):
    problem_of(Caller().get(path), 401, "not_authenticated")


def test_nothing_is_taken_from_strangers(db):
    for path in ("orders/", "accounts/refresh/"):
        problem_of(Caller().post(path, {}), 401, "not_authenticated")


def claims(caller, settings, **changes):
    read = jwt.decode(caller.access, settings.SECRET_KEY, algorithms=["HS256"])
    return {**read, **changes}


def test_an_access_token_ends_after_five_minutes(program, settings):
    program.sign_in()
    ends_at = datetime.fromtimestamp(claims(program, settings)["exp"], UTC)

    assert timedelta(minutes=4) < ends_at - timezone.now() <= timedelta(minutes=5)


def test_an_access_token_that_ended_is_refused(program, settings):
    program.sign_in()
    past = timezone.now() - timedelta(seconds=1)

    over = claims(program, settings, exp=past)
    program.access = jwt.encode(over, settings.SECRET_KEY, algorithm="HS256")

    problem_of(program.get("orders/"), 401, "authentication_failed")


def test_an_access_token_that_somebody_else_signed_is_refused(program, settings):
    program.sign_in()
    good = claims(program, settings)
    forged = [
        jwt.encode(good, "another secret " * 5, algorithm="HS256"),
        jwt.encode(good, settings.SECRET_KEY, algorithm="HS512"),
        jwt.encode(good, "", algorithm="none"),
        jwt.encode({"sid": good["sid"]}, settings.SECRET_KEY, algorithm="HS256"),
        jwt.encode({"exp": good["exp"]}, settings.SECRET_KEY, algorithm="HS256"),
    ]

    for program.access in forged:
        problem_of(program.get("orders/"), 401, "authentication_failed")


def test_an_access_token_does_not_open_the_pages(program, settings):
    program.sign_in()
    page = Client()
    page.cookies[settings.SESSION_COOKIE_NAME] = str(claims(program, settings)["sid"])

    assert page.get("/api/v1/orders/").status_code == 401


def test_a_refresh_gives_another_access_token_and_another_cookie(program):
    program.sign_in()
    before = program.client.cookies[COOKIE].value

    answer = program.post("auth/refresh/")

    assert answer.status_code == 200
    assert answer.cookies[COOKIE].value != before
    program.access = answer.json()["access"]
    assert may_read(program)


def test_a_session_can_be_renewed_many_times(program):
    program.sign_in()

    for _ in range(5):
        assert program.post("auth/refresh/").status_code == 200


def test_a_refresh_token_that_comes_twice_ends_the_session_for_both(program):
    """Whoever stole it, the thief or the program is out; so both are."""
    program.sign_in()
    stolen = program.client.cookies[COOKIE].value
    program.access = program.post("auth/refresh/").json()["access"]

    thief = Caller()
    thief.client.cookies[COOKIE] = stolen

    problem_of(thief.post("auth/refresh/"), 401, "session_ended")
    assert not may_read(program)
    problem_of(program.post("auth/refresh/"), 401, "session_ended")
    assert AuditEvent.objects.filter(kind="api refresh reused").count() == 1


@pytest.mark.parametrize("value", [None, "", "x", "ä" * 30])
def test_a_refresh_token_that_is_none_is_refused(program, value):
    if value is not None:
        program.client.cookies[COOKIE] = value

    problem_of(program.post("auth/refresh/"), 401, "session_ended")


def test_signing_out_ends_the_access_token_at_once(program):
    program.sign_in()
    assert may_read(program)

    answer = program.post("auth/logout/")

    assert answer.status_code == 204
    assert answer.cookies[COOKIE].value == ""
    problem_of(program.get("orders/"), 401, "authentication_failed")
    problem_of(program.post("auth/refresh/"), 401, "session_ended")


def test_signing_out_of_one_session_leaves_the_others(program):
    other = Caller(program.user)
    program.sign_in()
    other.sign_in()

    program.post("auth/logout/")

    assert not may_read(program)
    assert may_read(other)


def test_signing_out_without_a_session_is_no_error(db):
    assert Caller().post("auth/logout/").status_code == 204


def test_a_new_password_ends_every_session_at_once(program):
    other = Caller(program.user)
    program.sign_in()
    other.sign_in()

    program.user.set_password("another long enough password")
    program.user.save()

    for caller in (program, other):
        problem_of(caller.get("orders/"), 401, "authentication_failed")
        problem_of(caller.post("auth/refresh/"), 401, "session_ended")


def test_a_user_who_is_switched_off_is_out_at_once(program):
    program.sign_in()
    program.user.is_active = False
    program.user.save()

    problem_of(program.get("orders/"), 401, "authentication_failed")
    problem_of(program.post("auth/refresh/"), 401, "session_ended")


def test_another_role_ends_every_session_at_once(program):
    program.sign_in()
    program.user.role = Role.VIEWER
    program.user.save()

    problem_of(program.order({}), 401, "authentication_failed")
    problem_of(program.post("auth/refresh/"), 401, "session_ended")
    program.sign_in()
    problem_of(program.order({}), 403, "permission_denied")


def test_a_session_ends_after_twelve_hours_however_often_it_was_renewed(program):
    program.sign_in()
    program.post("auth/refresh/")
    UserSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    problem_of(program.post("auth/refresh/"), 401, "session_ended")


def test_the_database_does_not_hold_refresh_tokens(program):
    program.sign_in()
    refresh = program.client.cookies[COOKIE].value

    assert not ApiRefresh.objects.filter(digest=refresh).exists()
    assert len(ApiRefresh.objects.get().digest) == 64


def test_what_ended_is_forgotten(program):
    program.sign_in()
    assert forget_ended(now=timezone.now()) == 0

    assert forget_ended(now=timezone.now() + timedelta(hours=13)) == 2
    assert not UserSession.objects.exists()
    assert not ApiRefresh.objects.exists()


def test_sign_ins_and_sign_outs_are_recorded(program):
    program.sign_in()
    program.post("auth/logout/")

    kinds = AuditEvent.objects.order_by("id").values_list("kind", "actor")
    assert list(kinds) == [("api sign-in", "agent"), ("api sign-out", "agent")]
