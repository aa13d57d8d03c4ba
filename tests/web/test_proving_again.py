"""What matters asks once more who it is, and goes on where one was."""

import html
import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.decorators import PROVE_FIRST, guards_of
from accounts.domain.happenings import Channel
from accounts.domain.words import Role
from accounts.models import AuditEvent, BrokerLogin, Receiver, TotpSecret
from accounts.services.proving import FRESH_S
from orders.views import (
    account_editing,
    accounts,
    controls,
    desk,
    exits,
    ladders,
    logins,
    modes,
    remedies,
    ticket,
)
from tests.support.factors import Device, give_app, wrong_code
from tests.support.hooking import make_program
from tests.support.make import PASSWORD, make_login
from tests.web.browsing import text_of
from tests.web.factor_pages import add_passkey, grow_old, options_on

DIALOG = {"HX-Request": "true", "HX-Target": "dialog#modal"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(browser):
    """The browser of the agent, whose last proof is more than 15 minutes old."""
    grow_old(browser)
    return browser


def prove(browser, *, after="/", headers=None, **given):
    body = {"password": PASSWORD, "next": after, **given}
    return browser.post("/prove/", body, headers=headers or {})


def test_a_form_that_matters_leads_to_the_proof_and_from_there_back(browser):
    answer = browser.post(
        "/logins/new/", {}, headers={"referer": "http://localhost/logins/new/?a=b"}
    )

    assert answer["Location"] == "/prove/?next=%2Flogins%2Fnew%2F%3Fa%3Db"
    assert PROVE_FIRST in text_of(browser.get(answer["Location"]))
    assert prove(browser, after="/logins/new/?a=b")["Location"] == "/logins/new/?a=b"
    assert "press again" in text_of(browser.get("/logins/new/"))
    assert browser.post("/logins/new/", {}).status_code == 200


def test_nothing_is_done_before_the_proof(browser):
    login = make_login()
    before = BrokerLogin.objects.values().get()

    browser.post(f"/logins/{login.pk}/", {"label": "Another", "callback_url": "https://a/"})
    browser.post("/settings/second-factors/app/")

    assert BrokerLogin.objects.values().get() == before
    assert not TotpSecret.objects.exists()


def test_what_is_read_and_matters_goes_on_by_itself(browser):
    assert browser.get("/logins/logins.csv")["Location"] == "/prove/?next=%2Flogins%2Flogins.csv"
    assert prove(browser, after="/logins/logins.csv")["Location"] == "/logins/logins.csv"
    assert browser.get("/logins/logins.csv")["Content-Type"].startswith("text/csv")


def test_a_part_of_an_open_page_opens_the_proof_over_it(browser):
    answer = browser.post("/settings/second-factors/app/", headers={"HX-Request": "true"})

    assert answer.status_code == 204
    assert "proveFirst" in answer["HX-Trigger"]


def test_in_the_dialog_the_page_stays_and_hears_that_it_may_go_on(browser):
    assert 'hx-target="#modal"' in text_of(browser.get("/prove/", headers=DIALOG))

    answer = prove(browser, headers=DIALOG)

    assert answer.status_code == 200
    assert {"closeModal", "proved"} <= set(re.findall(r'"(\w+)": ?\{', answer["HX-Trigger"]))


def test_a_proof_is_good_for_fifteen_minutes(browser):
    prove(browser)
    assert browser.post("/logins/new/", {}).status_code == 200

    grow_old(browser)

    assert browser.post("/logins/new/", {}).status_code == 302


def test_a_proof_from_the_future_is_none(browser):
    session = browser.session
    session["proved_at"] += 10 * FRESH_S
    session.save()

    assert browser.post("/logins/new/", {}).status_code == 302


def test_a_wrong_password_proves_nothing_and_ends_nothing(browser, user):
    for _ in range(5):
        assert "That is not your password." in text_of(prove(browser, password="wrong"))
    assert "Too many tries." in text_of(prove(browser))

    assert browser.get("/settings/").status_code == 200
    assert browser.post("/logins/new/", {}).status_code == 302
    kinds = list(AuditEvent.objects.values_list("kind", flat=True).order_by("id"))
    assert kinds == ["proof refused"] * 5 + ["locked out"]


def test_who_has_a_second_factor_proves_himself_with_it_too(browser, user):
    app = give_app(user)

    assert "Give a code, or use a passkey." in text_of(prove(browser))
    assert "That code is not right." in text_of(prove(browser, code=wrong_code(app)))
    assert browser.post("/logins/new/", {}).status_code == 302
    assert prove(browser, code=app.code()).status_code == 302
    assert browser.post("/logins/new/", {}).status_code == 200
    assert browser.session["factor"] == "totp"


def test_a_passkey_proves_together_with_the_password(browser):
    prove(browser)
    device = Device()
    add_passkey(browser, device)
    grow_old(browser)

    answer = prove(browser, passkey=device.get(options_on(browser, "/prove/")))

    assert answer.status_code == 302
    assert browser.session["factor"] == "passkey"


@pytest.mark.parametrize(
    "after", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_after_the_proof_one_never_goes_elsewhere(browser, after):
    answer = browser.post("/logins/new/", {}, headers={"referer": after})

    assert answer["Location"] == "/prove/?next=%2F"
    assert prove(browser, after=after)["Location"] == "/"


def test_the_session_gets_a_new_key(browser):
    before = browser.session.session_key

    prove(browser)

    assert browser.session.session_key != before
    old = Client(headers={"host": "localhost"})
    old.cookies["sessionid"] = before
    assert old.get("/settings/").status_code == 302


def test_opening_the_fleet_needs_a_proof_and_freezing_it_never(browser):
    frozen = browser.post("/desk/freeze/")
    assert frozen["Location"] == "/desk/modes/"

    wish = {"what": "FLEET:", "mode": "OPEN", "password": PASSWORD}
    answer = browser.post("/desk/modes/", wish)

    back = "/desk/modes/?scope=FLEET&mode=OPEN"
    assert answer["Location"].startswith("/prove/?next=%2Fdesk%2Fmodes%2F")
    assert prove(browser, after=back)["Location"] == back
    page = html.unescape(text_of(browser.get(back)))
    assert re.search(r'value="OPEN"[^>]*checked', page)
    answer = browser.post("/desk/modes/", wish)
    assert answer["Location"] == "/desk/modes/"
    assert "now open" in text_of(browser.get("/desk/modes/"))


def tags(page, address):
    """Return the beginnings of a page's forms that are sent there."""
    return re.findall(rf'<form [^>]*action="{address}"[^>]*>', html.unescape(text_of(page)))


def test_forms_of_hooks_and_receivers_ask_before_what_was_typed_is_lost(browser, user):
    user.role = Role.ADMIN
    user.save()
    browser.force_login(user)
    make_program(user)
    Receiver.objects.create(name="ops", channel=Channel.WEBHOOK, url="https://hooks.example/")
    page = browser.get("/settings/hooks/")
    found = tags(page, '/settings/(?:hooks|receivers)/[^"]+')

    assert len(found) == 4
    assert all("data-prove-after=" in one for one in found)


def test_the_form_of_modes_asks_for_opening_the_fleet_alone(browser):
    (form,) = tags(browser.get("/desk/modes/"), "/desk/modes/")

    assert "data-prove-after=" in form
    assert 'data-prove-if="what=FLEET%3A&mode=OPEN"' in form


def test_what_places_cancels_exits_and_freezes_never_asks(browser):
    pages: list[Callable[..., object]] = [
        *(ticket.send, ticket.review, controls.cancel, controls.replace, controls.retry),
        *(controls.everything, exits.exit_set, remedies.retry, remedies.chase, ladders.ladder),
        *(modes.freeze, desk.desk, accounts.switch, account_editing.edit),
    ]
    assert not [page for page in pages if "freshly_proved" in guards_of(page)]
    guarded: list[Callable[..., object]] = [
        *(logins.new_login, logins.login, logins.logins_import, logins.logins_csv),
        *(logins.login_automation, logins.account_unlink),
    ]
    assert all("freshly_proved" in guards_of(page) for page in guarded)
