"""The administration: who comes in, what he changes by services, and what is shown to nobody."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.admin import administration
from accounts.domain.words import Role
from accounts.fields import EncryptedTextField
from accounts.models import AuditEvent, BrokerLogin, User
from accounts.services.alarms import raise_alarm
from accounts.services.sessions import open_api_session
from tests.support.make import PASSWORD, make_account, make_login, make_token, make_user
from tests.web.administering import page_of, told_of
from tests.web.browsing import text_of

NEW = "another good password"
LONG = "vera-of-the-long-name"


@pytest.fixture
def boss(db) -> User:
    return make_user(Role.ADMIN, username="boss")


@pytest.fixture
def admin(boss) -> Client:
    """A browser in which an admin is signed in."""
    browser = Client()
    browser.force_login(boss)
    return browser


def every_model() -> list[type[Any]]:
    return [model for model in apps.get_models() if administration.is_registered(model)]


# --- the door -----------------------------------------------------------------------------------


def test_strangers_are_led_to_our_own_sign_in(db):
    answer = Client().get("/admin/accounts/user/", follow=True)

    assert [address for address, _ in answer.redirect_chain][-1].startswith("/sign-in/?next=")
    assert "Tradeswim sign-in" in text_of(answer)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.EXIT_ONLY])
def test_nobody_but_an_admin_comes_in(db, role):
    browser = Client()
    browser.force_login(make_user(role))

    for address in ("/admin/", "/admin/login/", "/admin/accounts/auditevent/"):
        assert browser.get(address).status_code == 403
    assert "Administration" not in text_of(browser.get("/settings/"))


def test_an_admin_who_is_switched_off_is_a_stranger(admin, boss):
    User.objects.filter(pk=boss.pk).update(is_active=False)

    assert admin.get("/admin/").status_code == 302


def test_where_a_second_factor_is_required_a_session_without_one_stays_outside(admin, settings):
    settings.SECOND_FACTOR = "required"
    assert admin.get("/admin/")["Location"] == "/settings/second-factors/"

    session = admin.session
    session["factor"] = "totp"
    session.save()

    assert admin.get("/admin/").status_code == 200


def test_the_ways_of_djangos_admin_past_our_services_are_closed(admin, boss):
    for address in ("password_change/", "logout/", "autocomplete/", "r/1/1/"):
        assert admin.post(f"/admin/{address}").status_code == 404
    for kind in ("add", "1/change", "1/delete"):
        assert admin.get(f"/admin/auth/group/{kind}/").status_code == 404
    assert admin.post(page_of(boss, "delete"), {"post": "yes"}).status_code == 403


def test_the_flags_follow_the_role(db):
    user = make_user(Role.VIEWER, is_staff=True)
    assert not user.is_staff
    user.role = Role.ADMIN
    user.save(update_fields=["role"])
    assert User.objects.get(pk=user.pk).is_staff

    for change in ({"is_staff": False}, {"is_superuser": True}, {"role": Role.AGENT}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=user.pk).update(**change)
    with pytest.raises(NotImplementedError, match="make_user"):
        User.objects.create_superuser("root", "", NEW)


# --- what is shown ------------------------------------------------------------------------------


def test_no_page_shows_a_secret_not_even_sealed(admin, boss):
    login = make_login(
        user_name="planted name", password="planted password", totp_secret="PLANTEDTOTP"
    )
    token = make_token(login, access="planted access", refresh="planted refresh")
    make_account(login, number="55512345")
    now = timezone.now()
    raise_alarm("A_TEST", "a test", "A test says so.", now=now)
    planted = ["planted", "PLANTEDTOTP", "55512345", "an app key", "an app secret"]
    planted += [boss.password, login.app_key_index]
    sealed = BrokerLogin.objects.values_list("app_key", "app_secret", "password").get()
    planted += [bytes(one or b"").hex() for one in sealed]
    planted += [repr(bytes(one or b""))[2:30] for one in sealed]

    shown = 0
    for model in every_model():
        rows = administration.get_model_admin(model)
        list_of = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        pages = [list_of, *(page_of(row) for row in model._default_manager.all()[:3])]
        for address in pages:
            text = text_of(admin.get(address))
            shown += 1
            assert [word for word in planted if word in text] == [], address
        asked = {*rows.list_display, *(rows.fields or ()), *rows.search_fields}
        hidden = [one.name for one in model._meta.fields if isinstance(one, EncryptedTextField)]
        assert not asked & {*hidden, "session_key", "digest"}, model
    assert shown > 12
    assert str(token.version) in text_of(admin.get(page_of(token)))


def test_what_is_looked_at_is_neither_added_changed_nor_removed(admin):
    raise_alarm("A_TEST", "a test", "A test says so.", now=timezone.now())
    token = make_token()
    rows = [AuditEvent.objects.latest("pk"), token, token.login]
    for row in rows:
        assert admin.get(page_of(row)).status_code == 200
        assert admin.post(page_of(row), {"kind": "x", "label": "x"}).status_code == 403
        assert admin.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
        add = f"admin:accounts_{row._meta.model_name}_add"
        assert admin.post(reverse(add)).status_code == 403


def test_the_record_is_narrowed_and_searched(admin):
    make_user(username="somebody")
    raise_alarm("A_TEST", "thing:1", "The first reason.", now=timezone.now())
    raise_alarm("A_TEST", "thing:2", "Another one.", now=timezone.now())
    listed = "/admin/accounts/auditevent/"

    assert "thing:1" in (found := text_of(admin.get(listed, {"q": "thing:1"})))
    assert "thing:2" not in found
    assert "thing:2" in text_of(admin.get(listed, {"q": "another"}))
    assert "thing:" not in text_of(admin.get(listed, {"kind": "alarm seen"}))
    assert "thing:2" in text_of(admin.get(listed, {"kind": "alarm"}))


def test_the_history_of_a_row_is_what_the_record_says_of_it(admin, boss):
    answer = admin.get(page_of(boss, "history"))

    assert answer["Location"] == f"/admin/accounts/auditevent/?q=user:{boss.pk}"


# --- users --------------------------------------------------------------------------------------


def new_user(admin, **change):
    wish = {"username": "vera", "role": "EXIT_ONLY", "password1": NEW, "password2": NEW}
    return admin.post("/admin/accounts/user/add/", {**wish, **change})


def test_an_admin_makes_a_user_who_may_sign_in(admin):
    answer = new_user(admin)

    user = User.objects.get(username="vera")
    assert answer["Location"] == "/admin/accounts/user/"
    assert (user.role, user.is_staff, user.check_password(NEW)) == ("EXIT_ONLY", False, True)
    assert told_of(f"user:{user.pk}") == [("user", "", "EXIT_ONLY", "boss")]
    assert LogEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password1": "short", "password2": "short"}, "This password is too short."),
        ({"password1": "", "password2": ""}, "This field is required."),
        ({"password2": "something else"}, "two password fields"),
        ({"username": LONG, "password1": LONG, "password2": LONG}, "too similar"),
        ({"username": "BOSS"}, "There is a user BOSS already."),
        ({"role": "OWNER"}, "not one of the available choices"),
    ],
    ids=str,
)
def test_a_user_who_makes_no_sense_is_not_made(admin, change, words):
    answer = new_user(admin, **change)
    page = text_of(admin.get(answer["Location"]) if answer.status_code == 302 else answer)

    assert words in page
    assert User.objects.count() == 1
    assert not AuditEvent.objects.filter(kind="user").exists()


def change_user(admin, user, **change):
    wish = {"role": user.role, "is_active": "on", "new_password": "", "password_again": ""}
    return admin.post(page_of(user), {**wish, **change})


def test_an_admin_changes_a_role_and_what_the_page_did_not_offer_stays(admin):
    user = make_user(Role.AGENT, username="adam")

    change_user(admin, user, role="VIEWER", username="eve", is_superuser="on", is_staff="on")

    user.refresh_from_db()
    assert (user.username, user.role, user.is_staff, user.is_superuser) == (
        "adam",
        "VIEWER",
        False,
        False,
    )
    assert told_of(f"user:{user.pk}") == [("role", "AGENT", "VIEWER", "boss")]


def test_who_is_switched_off_is_out_at_once_and_stays_out_when_he_is_switched_on(admin):
    user, browser = make_user(Role.AGENT), Client()
    browser.force_login(user)
    program = open_api_session(user, now=timezone.now())
    bearer = {"Authorization": f"Bearer {program.access}"}
    assert Client().get("/api/v1/orders/", headers=bearer).status_code == 200

    change_user(admin, user, is_active="")
    assert browser.get("/").status_code == 302
    assert Client().get("/api/v1/orders/", headers=bearer).status_code == 401
    change_user(admin, User.objects.get(pk=user.pk))

    assert User.objects.get(pk=user.pk).is_active
    assert browser.get("/").status_code == 302
    assert Client().get("/api/v1/orders/", headers=bearer).status_code == 401
    assert [kind for kind, *_ in told_of(f"user:{user.pk}")][-2:] == ["is_active", "is_active"]
    assert admin.get("/admin/").status_code == 200


def test_another_password_ends_what_was_open(admin):
    user, browser = make_user(Role.AGENT), Client()
    browser.force_login(user)

    change_user(admin, user, new_password="short", password_again="short")
    change_user(admin, user, new_password=NEW, password_again=NEW + "?")
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert browser.get("/").status_code == 200

    change_user(admin, user, new_password=NEW, password_again=NEW)
    assert User.objects.get(pk=user.pk).check_password(NEW)
    assert browser.get("/").status_code == 302
    kinds = [(kind, actor) for kind, _, _, actor in told_of(f"user:{user.pk}")]
    assert kinds == [("session ended", "boss"), ("password set", "boss")]


@pytest.mark.parametrize("change", [{"role": "AGENT"}, {"is_active": ""}], ids=str)
def test_the_last_admin_stays_one(admin, boss, change):
    retired = make_user(Role.ADMIN, is_active=False)

    answer = change_user(admin, boss, **change)

    assert "is the last admin" in text_of(admin.get(answer["Location"]))
    boss.refresh_from_db()
    assert (boss.role, boss.is_active) == ("ADMIN", True)
    assert told_of(f"user:{boss.pk}") == []

    change_user(admin, retired)
    change_user(admin, boss, **change)
    boss.refresh_from_db()
    assert (boss.role, boss.is_active) != ("ADMIN", True)


def test_what_an_admin_changes_needs_a_fresh_proof_and_what_he_reads_needs_none(admin):
    user = make_user(Role.AGENT)
    session = admin.session
    session["proved_at"] = int(session["proved_at"]) - 16 * 60
    session.save()

    answer = change_user(admin, user, role="VIEWER")

    assert answer["Location"].startswith("/prove/?next=")
    assert User.objects.get(pk=user.pk).role == Role.AGENT
    assert admin.get("/admin/").status_code == 200
