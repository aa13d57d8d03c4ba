"""Passkeys that were forged, replayed, copied or made for another site (A44)."""

import time

import pytest
from django.utils import timezone

from accounts.domain.words import Role
from accounts.models import Passkey
from accounts.services.passkeys import Site, ask_for_proof, check_passkey
from tests.security.getting_in import (
    PAGE,
    SECOND,
    at_once,
    is_in,
    kinds,
    options_on,
    sign_in,
    visitor,
)
from tests.support.factors import FLAG, Device
from tests.support.make import PASSWORD, make_user
from tests.web.browsing import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(Role.AGENT, username="agent")


@pytest.fixture
def device(user):
    """A device whose passkey the user has."""
    device, browser = Device(), visitor()
    browser.force_login(user)
    answer = device.create(options_on(browser, PAGE))
    browser.post(f"{PAGE}passkeys/", {"name": "Key", "passkey": answer})
    assert Passkey.objects.count() == 1
    return device


def test_a_good_answer_lets_in_and_so_the_wrong_ones_below_fail_for_what_is_wrong(device):
    browser, options = begin()

    assert browser.post(SECOND, {"passkey": device.get(options)})["Location"] == "/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": FLAG.UP},
        {"flags": FLAG.UV},
        {"rp_id": "evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "https://localhost"},
        {"origin": "http://localhost:8000"},
        {"kind": "webauthn.create"},
        {"challenge": b"another challenge"},
        {"signed": b"something else"},
    ],
    ids=str,
)
def test_an_answer_that_is_wrong_in_one_thing_is_refused(device, wrong):
    browser, options = begin()

    page = text_of(browser.post(SECOND, {"passkey": device.get(options, **wrong)}))

    assert "The passkey was refused." in page
    assert not is_in(browser)
    assert kinds("second factor refused") == ["second factor refused"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": FLAG.UP},
        {"rp_id": "evil.example"},
        {"origin": "http://evil.example"},
        {"transports": 7},
    ],
    ids=str,
)
def test_a_new_passkey_that_is_wrong_in_one_thing_is_refused(user, wrong):
    browser = visitor()
    browser.force_login(user)

    answer = Device().create(options_on(browser, PAGE), **wrong)
    browser.post(f"{PAGE}passkeys/", {"name": "Key", "passkey": answer})

    assert not Passkey.objects.exists()


def test_an_answer_counts_once(device):
    browser, options = begin()
    answer = device.get(options)
    browser.post(SECOND, {"passkey": answer})
    browser.post("/sign-out/")
    again, _ = begin()

    assert "refused" in text_of(again.post(SECOND, {"passkey": answer}))
    assert not is_in(again)


def test_an_answer_to_a_question_that_was_asked_before_is_refused(device):
    browser, old = begin()
    browser.get(SECOND)

    assert "refused" in text_of(browser.post(SECOND, {"passkey": device.get(old)}))


def test_a_refused_answer_has_used_its_question_up(device):
    browser, options = begin()
    browser.post(SECOND, {"passkey": device.get(options, flags=FLAG.UP)})

    assert "refused" in text_of(browser.post(SECOND, {"passkey": device.get(options)}))


def test_a_question_is_good_for_five_minutes(device):
    browser, options = begin()
    session = browser.session
    session["passkey_asked"] = {**session["passkey_asked"], "at": time.time() - 301}
    session.save()

    assert "took too long" in text_of(browser.post(SECOND, {"passkey": device.get(options)}))


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_get_one_answer_at_once_one_takes_it(user, device):
    """Even from a key without a counter, and with the session as it was before any of them."""
    site, now = Site("localhost", "http://localhost"), timezone.now()
    question = ask_for_proof(user, site, now=now)
    assert question
    answer = device.get(question.options, count=0)

    def act():
        check_passkey(user, answer=answer, state=question.state, site=site, now=now)

    assert at_once(6, act).count("ok") == 1


def test_a_copied_key_is_found_by_its_counter(device):
    browser, options = begin()
    browser.post(SECOND, {"passkey": device.get(options, count=7)})
    copy, options = begin("192.0.2.2")

    page = text_of(copy.post(SECOND, {"passkey": device.get(options, count=7)}))

    assert "it was copied" in page
    assert not is_in(copy)


def test_a_passkey_of_somebody_else_does_not_let_in(device):
    make_user(Role.ADMIN, username="other")
    mine = Device()
    browser = visitor()
    browser.post("/sign-in/", {"username": "other", "password": PASSWORD})
    assert is_in(browser)  # without a second factor of his own
    thief, options = begin()

    assert "refused" in text_of(thief.post(SECOND, {"passkey": mine.get(options)}))
    assert not is_in(thief)


@pytest.mark.parametrize(
    "answer",
    [
        "x",
        "{}",
        "[]",
        "null",
        '{"rawId": 1}',
        "[" * 5000,
        '{"response": {}}',
        '{"response": []}',
        "1e999",
    ],
    ids=lambda text: text[:20],
)
def test_an_answer_that_is_none_breaks_nothing(device, answer):
    browser, _ = begin()

    page = browser.post(SECOND, {"passkey": answer})

    assert page.status_code == 200
    assert "refused" in text_of(page)


def test_no_passkey_lets_in_without_the_password(device):
    assert visitor().post(SECOND, {"passkey": "{}"})["Location"] == "/sign-in/"


def begin(address="192.0.2.1"):
    browser = visitor(address)
    sign_in(browser)
    return browser, options_on(browser, SECOND)
