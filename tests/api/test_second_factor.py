"""A program of a user with a second factor, and what a program does only after a fresh sign-in."""

import pytest
from django.test import Client

from accounts.domain.words import Role
from accounts.models import AuditEvent, UserSession
from accounts.services.proving import FRESH_S
from accounts.services.session_store import SessionStore
from tests.api.caller import Caller, problem_of
from tests.support.factors import give_app, give_codes, wrong_code
from tests.support.make import PASSWORD, make_user

OPEN = {"scope": "FLEET", "mode": "OPEN", "password": PASSWORD}
FREEZE = {"scope": "FLEET", "mode": "FROZEN", "why": "a test says so"}


@pytest.fixture
def program(db):
    return Caller(make_user(Role.AGENT, username="agent"))


def token(program, **more):
    body = {"username": "agent", "password": PASSWORD, **more}
    answer = program.post("auth/token/", body)
    if answer.status_code == 200:
        program.access = answer.json()["access"]
    return answer


def test_a_code_is_needed_where_the_user_has_an_app(program):
    app = give_app(program.user)

    answer = token(program)
    problem_of(answer, 401, "otp_required")
    assert answer["WWW-Authenticate"] == "Bearer"
    problem_of(token(program, otp=wrong_code(app)), 401, "otp_wrong")
    assert token(program, otp=app.code()).status_code == 200
    assert program.get("orders/").status_code == 200
    assert AuditEvent.objects.get(kind="second factor used").new == "totp"
    assert AuditEvent.objects.filter(kind="api sign-in").count() == 1


def test_a_code_is_good_for_one_token(program):
    app = give_app(program.user)
    code = app.code()

    assert token(program, otp=code).status_code == 200
    assert "was used before" in problem_of(token(program, otp=code), 401, "otp_wrong")["detail"]


def test_a_recovery_code_is_taken_once(program):
    give_app(program.user)
    code = give_codes(program.user)[0]

    assert token(program, otp=code).status_code == 200
    problem_of(token(program, otp=code), 401, "otp_wrong")


def test_a_wrong_password_is_told_nothing_of_a_second_factor(program):
    app = give_app(program.user)

    for otp in ("", wrong_code(app), app.code()):
        answer = token(program, password="wrong", otp=otp)
        problem_of(answer, 401, "authentication_failed")


def test_where_everybody_must_have_one_there_is_no_token_without(program, settings):
    settings.SECOND_FACTOR = "required"

    body = problem_of(token(program), 403, "second_factor_required")
    assert "Settings, Second factors" in body["detail"]
    app = give_app(program.user)
    assert token(program, otp=app.code()).status_code == 200
    assert program.get("orders/").status_code == 200


def test_a_session_from_before_everybody_had_to_have_one_is_over(program, settings):
    token(program)
    settings.SECOND_FACTOR = "required"

    problem_of(program.get("orders/"), 401, "authentication_failed")


def test_a_locked_name_is_told_when_to_come_back(program):
    for _ in range(5):
        problem_of(token(program, password="wrong"), 401, "authentication_failed")

    answer = token(program)

    problem_of(answer, 429, "too_many_tries")
    assert answer["Retry-After"] == "900"


def test_the_document_tells_of_it(program):
    token(program)
    call = program.get("schema/").content.decode()

    for word in ("otp_required", "otp_wrong", "second_factor_required", "proof_too_old"):
        assert word in call


def make_old(program):
    """Let the program's sign-in be more than 15 minutes ago; renewing it proves nothing."""
    store = SessionStore(UserSession.objects.get().pk)
    store["proved_at"] -= FRESH_S + 1
    store.save()
    program.access = program.post("auth/refresh/").json()["access"]


def test_a_program_opens_the_fleet_only_after_a_fresh_sign_in(program):
    token(program)
    assert program.post("mode/", FREEZE).status_code == 200
    make_old(program)

    problem_of(program.post("mode/", OPEN), 403, "proof_too_old")
    assert program.post("mode/", FREEZE).status_code == 200
    assert program.get("mode/").json()[0]["mode"] == "FROZEN"
    token(program)
    assert program.post("mode/", OPEN).status_code == 200


def test_a_page_opens_the_fleet_by_a_call_only_with_a_fresh_proof(program):
    page = Client()
    page.force_login(program.user)
    session = page.session
    session["proved_at"] -= FRESH_S + 1
    session.save()

    answer = page.post("/api/v1/mode/", OPEN, content_type="application/json")

    problem_of(answer, 403, "proof_too_old")
