"""Setting second factors up, signing in with them, and losing them."""

import re
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import AsyncClient, Client
from django.utils import timezone

from accounts.models import AuditEvent, Passkey, RecoveryCode, TotpSecret
from tests.support.factors import App, Device, give_app, give_codes, wrong_code
from tests.support.make import PASSWORD
from tests.web.browsing import text_of
from tests.web.factor_pages import PAGE, SECOND, add_passkey, grow_old, is_in, kinds, sign_in

pytestmark = pytest.mark.django_db


# --- an app with codes ------------------------------------------------------------------------------


def set_app_up(browser):
    page = text_of(browser.post(f"{PAGE}app/"))
    (key,) = re.findall(r'class="num key">\s*([A-Z2-7 ]+?)\s*<', page)
    return App(key.replace(" ", "")), page


def test_an_app_is_set_up_by_a_picture_or_a_key_and_counts_once_its_code_was_given(browser, user):
    app, page = set_app_up(browser)

    assert "<svg" in page
    assert " style=" not in page
    assert "Set up" not in text_of(browser.get(PAGE)).split("Passkeys")[0].replace("Set up an", "")

    answer = browser.post(f"{PAGE}app/confirm/", {"code": app.code()})

    assert answer["Location"] == PAGE
    assert TotpSecret.objects.get().confirmed_at
    assert kinds(user) == [("factor added", "totp")]
    assert browser.session["factor"] == "totp"


def test_a_key_is_shown_once_and_kept_encrypted(browser):
    app, _ = set_app_up(browser)
    again = text_of(browser.get(PAGE))

    assert app.secret not in again.replace(" ", "")
    assert "<svg" not in again
    assert app.secret.encode() not in bytes(TotpSecret.objects.get().__dict__["secret"])
    assert TotpSecret.objects.get().secret.open() == app.secret


def test_a_wrong_code_sets_nothing_up(browser):
    app, _ = set_app_up(browser)

    page = text_of(browser.post(f"{PAGE}app/confirm/", {"code": wrong_code(app)}))

    assert "That is not the code of the key." in page
    assert not TotpSecret.objects.filter(confirmed_at__isnull=False).exists()


def test_a_key_that_waited_too_long_is_begun_anew(browser):
    app, _ = set_app_up(browser)
    TotpSecret.objects.update(created_at=timezone.now() - timedelta(minutes=16))

    page = text_of(browser.post(f"{PAGE}app/confirm/", {"code": app.code()}))

    assert "Begin anew" in page
    assert not TotpSecret.objects.filter(confirmed_at__isnull=False).exists()


def test_another_phone_takes_the_place_of_the_first_one_only_once_it_is_confirmed(browser, user):
    old = give_app(user)
    new, _ = set_app_up(browser)
    assert TotpSecret.objects.filter(confirmed_at__isnull=False).get().secret.open() == old.secret

    browser.post(f"{PAGE}app/confirm/", {"code": new.code()})

    assert TotpSecret.objects.get().secret.open() == new.secret


def test_the_app_is_asked_for_after_the_password_and_then_the_desk_opens(visitor, user):
    app = give_app(user)

    answer = sign_in(visitor, after="/settings/")

    assert answer["Location"] == SECOND
    assert not is_in(visitor)
    assert "agent" in text_of(visitor.get(SECOND))
    answer = visitor.post(SECOND, {"code": app.code()})
    assert answer["Location"] == "/settings/"
    assert is_in(visitor)
    assert visitor.session["factor"] == "totp"
    assert kinds(user)[-2:] == [("second factor used", "totp"), ("sign-in", "")]


def test_without_a_second_factor_the_password_is_enough_where_it_may_be(visitor, user):
    assert sign_in(visitor)["Location"] == "/"

    assert is_in(visitor)
    assert "factor" not in visitor.session
    assert kinds(user) == [("sign-in", "")]


def test_the_second_page_leads_back_who_gave_no_password(visitor):
    assert visitor.get(SECOND)["Location"] == "/sign-in/"
    assert visitor.post(SECOND, {"code": "123456"})["Location"] == "/sign-in/"


def test_the_second_page_waits_for_five_minutes(visitor, user):
    app = give_app(user)
    sign_in(visitor)
    session = visitor.session
    session["pending_sign_in"] = {
        **session["pending_sign_in"],
        "at": session["pending_sign_in"]["at"] - 301,
    }
    session.save()

    assert visitor.post(SECOND, {"code": app.code()})["Location"] == "/sign-in/"
    assert not is_in(visitor)


def test_a_password_that_was_changed_meanwhile_does_not_let_in(visitor, user):
    app = give_app(user)
    sign_in(visitor)
    user.set_password("quite another password")
    user.save()

    assert visitor.post(SECOND, {"code": app.code()})["Location"] == "/sign-in/"


def test_the_app_can_be_removed(browser, user):
    give_app(user)
    give_codes(user)

    browser.post(f"{PAGE}app/remove/")

    assert not TotpSecret.objects.exists()
    assert not RecoveryCode.objects.exists()  # alone they are no factor
    assert kinds(user)[-1] == ("factor removed", "totp")


# --- recovery codes ---------------------------------------------------------------------------------


def test_recovery_codes_are_shown_once_kept_as_hashes_and_good_once(browser, visitor, user):
    give_app(user)
    page = text_of(browser.post(f"{PAGE}codes/"))
    codes = re.findall(r"\d+-[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", page)

    assert len(set(codes)) == 10
    assert codes[0] not in text_of(browser.get(PAGE))
    assert codes[0].partition("-")[2].replace("-", "") not in str(
        list(RecoveryCode.objects.values())
    )

    sign_in(visitor)
    typed = codes[4].lower().replace("-", " ")
    assert visitor.post(SECOND, {"code": typed})["Location"] == "/"
    assert visitor.session["factor"] == "recovery"
    assert ("recovery code used", "recovery") in kinds(user)
    assert AuditEvent.objects.get(kind="recovery code used").data == {"left": 9}

    another = Client(headers={"host": "localhost"})
    sign_in(another)
    assert "was used before" in text_of(another.post(SECOND, {"code": codes[4]}))
    assert not is_in(another)


def test_new_recovery_codes_make_the_old_ones_worthless(browser, visitor, user):
    give_app(user)
    old = give_codes(user)
    browser.post(f"{PAGE}codes/")

    sign_in(visitor)

    assert "That code is not right." in text_of(visitor.post(SECOND, {"code": old[0]}))


def test_there_are_no_recovery_codes_without_another_factor(browser):
    browser.post(f"{PAGE}codes/")

    assert not RecoveryCode.objects.exists()


# --- everybody must have one ------------------------------------------------------------------------


def test_who_has_none_is_led_to_the_set_up_before_anything_else(visitor, user, settings):
    settings.SECOND_FACTOR = "required"

    assert sign_in(visitor)["Location"] == "/"
    for address in ("/", "/settings/", "/history/", "/admin/", "/live/stream/"):
        assert visitor.get(address)["Location"] == PAGE
    refused = visitor.get("/api/v1/orders/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert visitor.post("/desk/freeze/").status_code == 403
    assert visitor.get("/desk/fleet/", headers={"HX-Request": "true"}).status_code == 403

    page = text_of(visitor.get(PAGE))
    assert 'class="fleet' not in page  # nothing of the desk is around it

    app, _ = set_app_up(visitor)
    visitor.post(f"{PAGE}app/confirm/", {"code": app.code()})
    assert is_in(visitor)


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_server_leads_there_too(visitor, user, settings):
    settings.SECOND_FACTOR = "required"
    sign_in(visitor)
    browser = AsyncClient(headers={"host": "localhost"})
    browser.cookies["sessionid"] = visitor.cookies["sessionid"].value

    assert async_to_sync(browser.get)("/")["Location"] == PAGE
    assert async_to_sync(browser.get)("/live/stream/")["Location"] == PAGE
    assert async_to_sync(browser.get)(PAGE).status_code == 200


def test_the_proof_of_who_has_none_yet_shows_nothing_of_the_desk(visitor, user, settings):
    settings.SECOND_FACTOR = "required"
    sign_in(visitor)
    grow_old(visitor)

    led = visitor.post(f"{PAGE}app/")

    assert led["Location"].startswith("/prove/?next=")
    assert 'class="fleet' not in text_of(visitor.get(led["Location"]))
    visitor.post("/prove/", {"password": PASSWORD, "next": PAGE})
    assert "<svg" in text_of(visitor.post(f"{PAGE}app/"))


def test_the_last_one_is_not_removed_where_everybody_must_have_one(browser, user, settings):
    give_app(user)
    add_passkey(browser, Device())
    settings.SECOND_FACTOR = "required"

    browser.post(f"{PAGE}app/remove/")
    browser.post(f"{PAGE}passkeys/{Passkey.objects.get().pk}/", {"remove": "1"})

    assert not TotpSecret.objects.exists()
    assert Passkey.objects.exists()
    assert "This is your only second factor." in text_of(browser.get(PAGE))


# --- losing them ------------------------------------------------------------------------------------


def test_the_host_takes_them_from_who_lost_them_and_ends_his_sessions(
    browser, visitor, user, capsys
):
    give_app(user)
    give_codes(user)

    call_command("reset_second_factor", "agent")

    assert "agent: 1 removed." in capsys.readouterr().out
    assert not is_in(browser)
    assert not RecoveryCode.objects.exists()
    assert sign_in(visitor)["Location"] == "/"
    event = AuditEvent.objects.get(kind="second factors reset")
    assert (event.actor, event.data) == ("host", {"removed": 1})


def test_the_host_is_told_of_a_name_that_is_nobodys():
    with pytest.raises(CommandError, match="no user called nobody"):
        call_command("reset_second_factor", "nobody")
