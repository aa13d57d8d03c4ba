"""Guessing, replaying, forging and going around what people sign in with (A2-A4, A6, A41, A44, A45)."""

import html
import re
import threading
import time
from contextlib import closing
from datetime import timedelta
from statistics import median

import pytest
from django.contrib.auth.hashers import get_hasher
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts.domain.words import Role
from accounts.models import AuditEvent, Passkey, RecoveryCode, Tries
from accounts.services import tries
from accounts.services.passkeys import Site, ask_for_proof, check_passkey
from accounts.services.proving import FRESH_S
from accounts.services.second_factors import WrongFactor, check_code
from accounts.services.signing_in import WrongCredentials, check_credentials, note_sign_in
from accounts.services.tries import TooManyTries, take_try
from tests.support.factors import FLAG, Device, give_app, give_codes, wrong_code
from tests.support.make import PASSWORD, make_user
from tests.web.browsing import text_of

SECOND = "/sign-in/second/"
PAGE = "/settings/second-factors/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(Role.AGENT, username="agent")


def visitor(address="192.0.2.1"):
    return Client(headers={"host": "localhost"}, REMOTE_ADDR=address)


def sign_in(browser, name="agent", password=PASSWORD):
    return browser.post("/sign-in/", {"username": name, "password": password})


def is_in(browser):
    return browser.get("/settings/").status_code == 200


def kinds(*wanted):
    found = AuditEvent.objects.filter(kind__in=wanted).order_by("id")
    return list(found.values_list("kind", flat=True))


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
        note_sign_in(who, None, address="a", now=now)


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


# --- A4: guessing and replaying codes -------------------------------------------------------------------


def test_codes_are_tried_five_times_in_a_session_and_ten_times_in_all(user):
    app = give_app(user)
    code, wrong = app.code(), wrong_code(app)
    for address in ("192.0.2.1", "192.0.2.2"):
        thief = visitor(address)
        sign_in(thief)
        for _ in range(5):
            assert thief.post(SECOND, {"code": wrong}).status_code == 200
        assert thief.post(SECOND, {"code": code})["Location"] == "/sign-in/"

    third = visitor("192.0.2.3")
    sign_in(third)

    assert "Too many tries." in text_of(third.post(SECOND, {"code": code}))
    assert not is_in(third)
    assert kinds("second factor refused", "locked out") == ["second factor refused"] * 10 + [
        "locked out"
    ]


def test_a_code_that_was_used_is_refused_everywhere(user):
    code = give_app(user).code()
    first, second = visitor(), visitor("192.0.2.2")
    sign_in(first)
    sign_in(second)

    assert first.post(SECOND, {"code": code})["Location"] == "/"
    assert "That code was used before." in text_of(second.post(SECOND, {"code": code}))
    assert not is_in(second)


def test_a_code_older_than_the_last_one_is_refused(user):
    app = give_app(user)
    old, new = app.code(), app.code()
    check_code(user, new, now=timezone.now())

    with pytest.raises(WrongFactor, match="used before"):
        check_code(user, old, now=timezone.now())


@pytest.mark.parametrize("later", [-4, 4])
def test_a_code_of_another_time_is_refused(user, later):
    with pytest.raises(WrongFactor):
        check_code(user, give_app(user).code(later=later), now=timezone.now())


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "\uff11\uff12\uff13\uff14\uff15\uff16", "12345a", "0" * 40]
)
def test_what_is_no_code_is_refused(user, code):
    give_app(user)
    with pytest.raises(WrongFactor):
        check_code(user, code, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_get_one_code_at_once_one_takes_it(user):
    code = give_app(user).code()

    assert sorted(at_once(8, lambda: check_code(user, code, now=timezone.now()))) == [
        *["WrongFactor"] * 7,
        "ok",
    ]


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_get_one_recovery_code_at_once_one_takes_it(user):
    give_app(user)
    code = give_codes(user)[2]

    assert at_once(8, lambda: check_code(user, code, now=timezone.now())).count("ok") == 1
    assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_all_counted(user):
    """Each is counted before it is judged: none slips through while others are judged."""
    now = timezone.now()

    found = at_once(20, lambda: take_try(tries.OF_NAME, "agent", "an address", now=now))

    assert (found.count("ok"), found.count("TooManyTries")) == (5, 15)


def at_once(number, act):
    """Do it in so many threads, each with a connection of its own, as workers have; say how it went."""
    start, found = threading.Barrier(number), []

    def work():
        with closing(connection):
            start.wait()
            try:
                act()
            except (WrongFactor, TooManyTries) as error:
                found.append(type(error).__name__)
            else:
                found.append("ok")

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# --- A6: fixed sessions ---------------------------------------------------------------------------------


def test_every_step_of_a_sign_in_has_a_session_key_of_its_own(user):
    app, browser = give_app(user), visitor()
    session = browser.session
    session["planted"] = True
    session.save()
    browser.cookies["sessionid"] = session.session_key
    keys = [session.session_key]

    sign_in(browser)
    keys.append(browser.cookies["sessionid"].value)
    browser.post(SECOND, {"code": app.code()})
    keys.append(browser.cookies["sessionid"].value)
    browser.post("/prove/", {"password": PASSWORD, "code": app.code(), "next": "/"})
    keys.append(browser.cookies["sessionid"].value)

    assert len(set(keys)) == 4
    assert is_in(browser)
    for key in keys[:3]:
        thief = visitor()
        thief.cookies["sessionid"] = key
        assert not is_in(thief)


def test_between_password_and_second_factor_nobody_is_in(user):
    give_app(user)
    browser = visitor()
    sign_in(browser)

    for address in ("/", "/settings/", PAGE, "/prove/", "/live/stream/", "/api/v1/orders/"):
        assert browser.get(address).status_code in {204, 302, 401}
    assert browser.post(f"{PAGE}app/")["Location"].startswith("/sign-in/")


# --- A41: an insider ------------------------------------------------------------------------------------


def test_who_finds_an_open_browser_neither_opens_the_fleet_nor_takes_it_over(user):
    give_app(user)
    browser = visitor()
    browser.force_login(user)
    session = browser.session
    session["proved_at"] -= FRESH_S + 1
    session.save()

    browser.post("/desk/freeze/")
    wish = {"what": "FLEET:", "mode": "OPEN", "password": PASSWORD}
    for address, body in {
        "/desk/modes/": wish,
        "/logins/new/": {"label": "Mine"},
        f"{PAGE}app/": {},
        f"{PAGE}app/remove/": {},
        f"{PAGE}codes/": {},
    }.items():
        assert browser.post(address, body)["Location"].startswith("/prove/")

    assert "proved again" not in kinds("proved again", "factor removed")
    assert user.totp_secrets.count() == 1
    # With the password alone he does not get on either.
    answer = browser.post("/prove/", {"password": PASSWORD, "next": "/"})
    assert answer.status_code == 200


def test_a_password_is_not_guessed_where_a_mode_asks_for_it(user):
    browser = visitor()
    browser.force_login(user)
    browser.post("/desk/freeze/")
    wish = {"what": "FLEET:", "mode": "CLOSE_ONLY", "why": "a test says so"}
    for number in range(5):
        page = browser.post("/desk/modes/", {**wish, "password": f"guess {number}"})
        assert "That is not your password." in text_of(page)

    assert "Too many tries." in text_of(
        browser.post("/desk/modes/", {**wish, "password": PASSWORD})
    )
    assert browser.post("/desk/freeze/")["Location"] == "/desk/modes/"


# --- A44: passkeys --------------------------------------------------------------------------------------


@pytest.fixture
def device(user):
    """A device whose passkey the user has."""
    device, browser = Device(), visitor()
    browser.force_login(user)
    answer = device.create(options_on(browser, PAGE))
    browser.post(f"{PAGE}passkeys/", {"name": "Key", "passkey": answer})
    assert Passkey.objects.count() == 1
    return device


def options_on(browser, address):
    page = browser.get(address).content.decode()
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def begin(address="192.0.2.1"):
    browser = visitor(address)
    sign_in(browser)
    return browser, options_on(browser, SECOND)


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
    [{"flags": FLAG.UP}, {"rp_id": "evil.example"}, {"origin": "http://evil.example"}],
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


# --- A45: ways around it --------------------------------------------------------------------------------


def test_there_is_no_way_to_reset_a_password_or_a_factor_by_oneself():
    words = re.compile(r"reset|forgot|recover(?!y)|register|sign-?up", re.IGNORECASE)

    assert [route for route in routes(get_resolver().url_patterns) if words.search(route)] == []


def routes(patterns, before=""):
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def test_recovery_codes_alone_are_no_second_factor(user):
    give_app(user)
    codes = give_codes(user)
    user.totp_secrets.all().delete()

    with pytest.raises(WrongFactor):
        check_code(user, codes[0], now=timezone.now())


def test_the_secrets_of_second_factors_stand_in_no_page_no_event_and_no_row(user):
    app, codes = give_app(user), give_codes(user)
    browser = visitor()
    sign_in(browser)
    browser.post(SECOND, {"code": app.code()})
    pages = [text_of(browser.get(place)) for place in (PAGE, "/settings/", "/record/")]

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_totpsecret")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT * FROM accounts_recoverycode")
        rows += str(cursor.fetchall())
    said = rows + str(list(AuditEvent.objects.values())) + "".join(pages)

    assert app.secret not in said
    assert not [code for code in codes if code in said or code[2:].replace("-", "") in said]
