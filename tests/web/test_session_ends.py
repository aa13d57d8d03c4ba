"""Sessions begin and end on record, and whatever ends them ends them at once."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.domain.words import Role, SessionKind
from accounts.live.asking import session_name
from accounts.models import AuditEvent, User, UserSession
from accounts.services.people import set_agent
from accounts.services.session_ends import forget_ended
from tests.api.caller import Caller
from tests.support.make import make_user
from tests.web.browsing import text_of
from tests.web.session_pages import FLEET, LIST, POLL, ended
from tests.web.signing_in import is_in, key_of, let_pass, sign_in

pytestmark = pytest.mark.django_db


def test_signing_in_gives_a_key_that_nobody_knew_each_time(user):
    client = sign_in(user)
    first = key_of(client)
    client.get("/")

    client.cookies["sessionid"] = first
    session = client.session
    session.flush()
    sign_in(user, client)

    assert key_of(client) != first
    assert not UserSession.objects.filter(pk=first).exists()


def test_who_signs_in_under_the_key_of_his_program_has_a_session_of_a_page(user):
    program = Caller(user)
    program.sign_in()
    (begun,) = UserSession.objects.all()
    browser = Client()
    browser.cookies["sessionid"] = begun.session_key

    sign_in(user, browser)

    (row,) = UserSession.objects.exclude(pk=begun.pk)
    assert row.kind == SessionKind.PAGE
    assert row.expire_date < row.ends_at


def test_sign_in_and_sign_out_are_on_record_with_the_session_and_the_device(desk, user):
    name = session_name(key_of(desk))
    desk.post("/sign-out/")

    rows = AuditEvent.objects.filter(subject=f"user:{user.pk}").order_by("id")
    assert [(one.kind, one.actor, one.session, one.data["device"]) for one in rows] == [
        ("sign-in", "agent", name, "Chrome on Windows"),
        ("sign-out", "agent", name, "Chrome on Windows"),
    ]
    assert not UserSession.objects.exists()


def test_what_ended_by_time_is_on_record_and_gone(user):
    idle, old, fresh = sign_in(user), sign_in(user), sign_in(user)
    let_pass(idle, minutes=31)
    let_pass(old, hours=12, seconds=1)

    assert forget_ended(now=timezone.now()) == 2

    reasons = ended(actor="").order_by("id").values_list("reason", "old")
    assert list(reasons) == [
        ("not used for 30 minutes", session_name(key_of(idle))),
        ("12 hours after the sign-in", session_name(key_of(old))),
    ]
    assert is_in(fresh)


# --- what else ends a session -------------------------------------------------------------------


def everything_is_over(user, desk) -> None:
    program = Caller(user)
    assert desk.get("/").status_code == 302
    assert desk.get(FLEET, headers=POLL).status_code == 401
    assert program.get("orders/").status_code == 401


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
def test_other_rights_end_every_session_and_its_line(desk, user, role):
    admin = sign_in(make_user(Role.ADMIN))
    user.role = role
    user.save()

    assert "Who else is signed in" not in text_of(admin.get(LIST))
    everything_is_over(user, desk)


def test_another_password_from_the_host_ends_every_session(desk, user):
    set_agent(name="agent", password="quite another password", now=timezone.now())

    assert not UserSession.objects.exists()
    assert ended(reason="the password was set anew").count() == 1
    everything_is_over(user, desk)


def test_who_was_switched_off_is_out_and_stays_out_when_he_is_switched_on_again(desk, user):
    User.objects.update(is_active=False)
    everything_is_over(user, desk)

    assert forget_ended(now=timezone.now()) == 1

    User.objects.update(is_active=True)
    assert not is_in(desk)
    assert ended(reason="the user was switched off").count() == 1


def test_what_a_user_likes_is_no_right(desk, user):
    desk.post("/settings/", {"density": "ROOMY", "single_keys": "on"})

    assert is_in(desk)
