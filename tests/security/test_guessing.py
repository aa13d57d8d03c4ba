"""Guessing passwords, and finding out which names there are (A2, A3)."""

import re
import time
from datetime import timedelta
from statistics import median

import pytest
from django.contrib.auth.hashers import get_hasher
from django.utils import timezone

from accounts.domain.words import Role
from accounts.models import AuditEvent, Tries
from accounts.services import tries
from accounts.services.signing_in import WrongCredentials, begin_tries_anew, check_credentials
from accounts.services.tries import take_try
from tests.security.getting_in import at_once, is_in, kinds, sign_in, visitor
from tests.support.factors import give_app
from tests.support.make import PASSWORD, make_user
from tests.web.browsing import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(Role.AGENT, username="agent")


# --- A2: guessing passwords ---------------------------------------------------------------------------


def test_a_name_is_closed_for_an_address_after_five_tries_and_open_for_others(user):
    thief, owner = visitor("192.0.2.1"), visitor("192.0.2.2")
    for _ in range(5):
        assert sign_in(thief, password="wrong").status_code == 200

    locked = sign_in(thief)

    assert locked.status_code == 429
    assert "Too many tries." in text_of(locked)
    assert not is_in(thief)
    sign_in(owner)
    assert is_in(owner)
    assert kinds("locked out", "sign-in refused") == ["sign-in refused"] * 5 + ["locked out"]
    (event,) = AuditEvent.objects.filter(kind="locked out")
    assert (event.subject, event.address) == (f"user:{user.pk}", "192.0.2.1")


def test_who_is_signed_in_goes_on_while_others_guess(user):
    owner, thief = visitor(), visitor()  # behind the same address
    sign_in(owner)
    for _ in range(8):
        sign_in(thief, password="wrong")

    assert sign_in(thief).status_code == 429
    assert is_in(owner)


def test_a_closed_name_opens_after_fifteen_minutes_and_no_try_meanwhile_makes_it_longer(user):
    thief = visitor()
    for _ in range(9):
        sign_in(thief, password="wrong")
    Tries.objects.update(since=timezone.now() - timedelta(minutes=15))

    assert sign_in(thief)["Location"] == "/"


def test_a_good_sign_in_lets_the_tries_begin_anew(user):
    owner = visitor()
    for _ in range(3):
        for _ in range(4):
            sign_in(owner, password="wrong")
        assert sign_in(owner)["Location"] == "/"
        owner.post("/sign-out/")


def test_an_address_is_closed_after_sixty_wrong_tries_at_whatever_names(user):
    thief = visitor()
    for number in range(60):
        assert sign_in(thief, name=f"name{number}", password="wrong").status_code == 200

    assert sign_in(thief).status_code == 429
    assert sign_in(visitor("192.0.2.9"))["Location"] == "/"


def test_good_sign_ins_from_one_address_close_nothing(user):
    for _ in range(65):
        now = timezone.now()
        who = check_credentials(name="agent", password=PASSWORD, address="a", now=now)
        begin_tries_anew(who, address="a")


def test_a_forwarded_address_counts_only_as_far_as_our_proxies_wrote_it(user, settings):
    thief = visitor()
    for number in range(5):
        thief.post(
            "/sign-in/",
            {"username": "agent", "password": "wrong"},
            headers={"x-forwarded-for": f"198.51.100.{number}"},
        )
    assert sign_in(thief).status_code == 429

    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    body = {"username": "agent", "password": "wrong"}
    for number in range(6):
        forged = {"x-forwarded-for": f"198.51.100.{number}, 203.0.113.5"}
        answer = thief.post("/sign-in/", body, headers=forged)
    assert answer.status_code == 429
    assert AuditEvent.objects.latest("id").address == "203.0.113.5"


def test_pages_and_programs_share_the_count(user):
    client = visitor()
    for _ in range(3):
        sign_in(client, password="wrong")
        client.post(
            "/api/v1/auth/token/",
            {"username": "agent", "password": "wrong"},
            content_type="application/json",
        )

    assert sign_in(client).status_code == 429


def test_what_is_typed_as_a_name_is_kept_nowhere(user):
    sign_in(visitor(), name="my secret password", password="x")

    rows = [*AuditEvent.objects.values(), *Tries.objects.values()]
    assert "my secret password" not in str(rows)
    assert AuditEvent.objects.get().subject == "user:unknown"


# --- A3: finding out who there is -----------------------------------------------------------------------


def test_nobody_learns_which_names_there_are(user):
    give_app(user)
    known, unknown = visitor("192.0.2.1"), visitor("192.0.2.2")

    for number in range(7):
        here, there = (
            sign_in(known, name="agent", password=f"wrong{number}"),
            sign_in(unknown, name="nobod", password=f"wrong{number}"),
        )
        assert here.status_code == there.status_code
        assert _plain(here) == _plain(there).replace("nobod", "agent")


def _plain(answer):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text_of(answer))


def test_an_unknown_name_costs_as_much_time_as_a_wrong_password(user, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    get_hasher()
    user.set_password(PASSWORD)
    user.save()

    pairs = [[_time_of(name, number) for name in ("agent", "nobody")] for number in range(9)]
    known, unknown = zip(*pairs, strict=True)

    assert 0.6 < median(known) / median(unknown) < 1.6


def _time_of(name, number):
    began = time.process_time()  # whatever else the machine does meanwhile
    with pytest.raises(WrongCredentials):
        check_credentials(
            name=name, password="wrong", address=f"10.0.0.{number}", now=timezone.now()
        )
    return time.process_time() - began


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_all_counted(user):
    """Each is counted before it is judged: none slips through while others are judged."""
    now = timezone.now()

    found = at_once(20, lambda: take_try(tries.OF_NAME, "agent", "an address", now=now))

    assert (found.count("ok"), found.count("TooManyTries")) == (5, 15)
