"""Sessions: how long they last, what uses them, and how they are seen and ended."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.devices import device_words
from accounts.domain.words import Role
from accounts.live.asking import session_name
from accounts.models import ApiRefresh, AuditEvent, User, UserSession
from accounts.services import session_use
from accounts.services.people import set_agent
from accounts.services.session_ends import forget_ended
from tests.api.caller import Caller
from tests.support.make import make_user
from tests.web.browsing import HTMX, text_of
from tests.web.signing_in import (
    CHROME,
    ELSEWHERE,
    FIREFOX,
    HERE,
    browser,
    is_in,
    key_of,
    let_pass,
    row_of,
    sign_in,
)

pytestmark = pytest.mark.django_db
POLL = {**HTMX, "X-Unasked": "1"}
LIST, STAY = "/settings/sessions/", "/settings/sessions/stay/"
FLEET = "/desk/fleet/"


@pytest.fixture
def user() -> User:
    return make_user(username="agent")


@pytest.fixture
def desk(user) -> Client:
    """The agent at a browser."""
    return sign_in(user)


def ended(**fields):
    return AuditEvent.objects.filter(kind="session ended", **fields)


def rest_of(row: UserSession) -> int:
    """Return how many minutes a session lasts without use."""
    return round((row.expire_date - timezone.now()).total_seconds() / 60)


# --- how long -----------------------------------------------------------------------------------


def test_a_session_lasts_half_an_hour_without_use_and_twelve_hours_with_it(desk):
    row = row_of(desk)

    assert rest_of(row) == 30
    assert row.ends_at - row.began_at == timedelta(hours=12)
    assert desk.cookies["sessionid"]["max-age"] == pytest.approx(12 * 3600, abs=5)


def test_both_are_settings(user, settings):
    settings.SESSION_IDLE_S, settings.SESSION_HOURS = 120, 2

    row = row_of(sign_in(user))

    assert rest_of(row) == 2
    assert row.ends_at - row.began_at == timedelta(hours=2)


def test_a_session_that_nobody_used_is_over_for_pages_panels_and_calls(desk):
    let_pass(desk, minutes=29)
    assert desk.get(FLEET, headers=POLL).status_code == 200
    let_pass(desk, minutes=2)

    assert desk.get("/").status_code == 302
    assert desk.get(FLEET, headers=HTMX).status_code == 401
    assert desk.get("/api/v1/orders/").status_code == 401
    assert desk.post(STAY, headers=HTMX).status_code == 401


def test_a_use_makes_it_last_half_an_hour_again(desk):
    let_pass(desk, minutes=20)

    desk.get("/")

    assert rest_of(row_of(desk)) == 30


def test_what_a_page_asks_for_by_itself_is_no_use(desk):
    let_pass(desk, minutes=20)
    before = row_of(desk)

    for address in (FLEET, "/desk/panels/orders/", "/accounts/grid/", "/status/panel/"):
        assert desk.get(address, headers=POLL).status_code == 200

    after = row_of(desk)
    assert (after.used_at, after.expire_date) == (before.used_at, before.expire_date)


def test_no_use_moves_the_end_after_twelve_hours(desk):
    ends_at = let_pass(desk, hours=11, minutes=50).ends_at
    UserSession.objects.update(expire_date=ends_at)

    desk.get("/")

    assert row_of(desk).expire_date == ends_at
    let_pass(desk, minutes=11)
    assert not is_in(desk)


def test_saving_a_session_moves_neither_end(desk):
    soon = timezone.now() + timedelta(minutes=5)
    UserSession.objects.update(expire_date=soon, used_at=soon - timedelta(minutes=30))
    before = row_of(desk)

    session = desk.session
    session["proved_at"] = "now"
    session.save()

    after = row_of(desk)
    assert session["proved_at"] == "now"
    assert (after.ends_at, after.expire_date) == (before.ends_at, before.expire_date)
    assert (after.began_at, after.used_at) == (before.began_at, before.used_at)
    assert (after.address, after.agent) == (HERE, CHROME)


def test_a_use_is_written_once_a_minute_and_costs_one_query(desk, django_assert_num_queries):
    desk.get(LIST)
    with CaptureQueriesContext(connection) as fresh:
        desk.get(LIST)
    let_pass(desk, seconds=61)
    with CaptureQueriesContext(connection) as due:
        desk.get(LIST)
    with CaptureQueriesContext(connection) as again:
        desk.get(LIST)

    updates = [query["sql"] for query in due if query["sql"].startswith("UPDATE")]
    assert [len(fresh), len(due), len(again)] == [len(fresh), len(fresh) + 1, len(fresh)]
    assert len(updates) == 1


def test_what_changes_something_writes_no_use_and_its_pages_next_read_does(desk, monkeypatch):
    let_pass(desk, minutes=20)
    before = row_of(desk).used_at

    with CaptureQueriesContext(connection) as asked:
        desk.post("/desk/send/", {})
    desk.get(FLEET, headers=POLL)  # its orders may still be on their way
    assert row_of(desk).used_at == before
    assert not [query["sql"] for query in asked if query["sql"].startswith(("UPDATE", "INSERT"))]

    monkeypatch.setattr(session_use, "QUIET_S", 0.0)
    desk.get(FLEET, headers=POLL)
    assert row_of(desk).used_at > before


def test_a_page_says_with_every_part_how_long_it_lasts(desk):
    let_pass(desk, minutes=28)
    near = desk.get(FLEET, headers=POLL)
    UserSession.objects.update(ends_at=row_of(desk).expire_date)
    last = desk.get(FLEET, headers=POLL)

    assert int(near["X-Session-Left"]) == pytest.approx(120, abs=5)
    assert (near["X-Session-May-Last"], last["X-Session-May-Last"]) == ("1", "0")
    assert "X-Session-Left" not in desk.get("/")


def test_who_says_that_he_stays_stays(desk):
    let_pass(desk, minutes=29)

    answer = desk.post(STAY, headers=HTMX)

    assert answer.status_code == 204
    assert int(answer["X-Session-Left"]) == pytest.approx(1800, abs=5)
    assert rest_of(row_of(desk)) == 30


def test_every_page_can_say_that_it_ends(desk):
    shown = text_of(desk.get("/"))

    assert 'id="ending"' in shown
    assert f'hx-post="{STAY}"' in shown


# --- signing in and out -------------------------------------------------------------------------


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


# --- the list -----------------------------------------------------------------------------------


def test_the_list_says_what_is_signed_in_from_where_and_which_is_this_one(desk, user):
    other = sign_in(user, agent=FIREFOX, address=ELSEWHERE)
    sign_in(make_user(username="somebody"), agent="curl/8", address="203.0.113.9")

    shown = text_of(desk.get(LIST))

    for words in ("Chrome on Windows", HERE, "Firefox on Linux", ELSEWHERE, "End all others"):
        assert words in shown
    assert shown.count("this one") == 1
    rows = shown.split('<th scope="row">')
    assert ["this one" in row for row in rows] == [False, True, False]
    assert "Chrome on Windows" in rows[1]
    assert "203.0.113.9" not in shown
    assert key_of(desk) not in shown
    assert key_of(other) not in shown
    assert session_name(key_of(other)) in shown
    assert LIST in text_of(desk.get("/settings/"))


def test_one_click_ends_a_session_at_once(desk, user):
    other = sign_in(user, agent=FIREFOX)
    name = session_name(key_of(other))
    assert is_in(other)

    answer = desk.post(f"{LIST}end/", {"session": name}, follow=True)

    assert "The session is ended." in text_of(answer)
    assert other.get("/").status_code == 302
    assert other.get(FLEET, headers=POLL).status_code == 401
    assert other.get("/api/v1/orders/").status_code == 401
    assert is_in(desk)
    one = ended(old=name).get()
    assert (one.actor, one.subject) == ("agent", f"user:{user.pk}")
    assert one.data == {"device": "Firefox on Linux", "from": HERE, "kind": "PAGE"}


def test_another_click_ends_all_others(desk, user):
    others = [sign_in(user, agent=FIREFOX) for _ in range(3)]
    program = Caller(user)
    program.sign_in()
    stranger = sign_in(make_user())

    answer = desk.post(f"{LIST}end-others/", follow=True)

    assert "Sessions ended: 4. You are signed in here only." in text_of(answer)
    assert not any(is_in(other) for other in others)
    assert program.get("orders/").status_code == 401
    assert is_in(desk)
    assert is_in(stranger)


def test_programs_are_listed_and_ended_there_too(desk, user):
    program = Caller(user)
    program.client = browser(agent="python-requests/2.32")
    program.sign_in()
    shown = text_of(desk.get(LIST))
    assert "python-requests" in shown
    assert "by the API" in shown
    row = UserSession.objects.get(kind="API")
    assert row.expire_date == row.ends_at

    desk.post(f"{LIST}end/", {"session": session_name(row.session_key)})

    assert program.get("orders/").status_code == 401
    assert program.post("auth/refresh/").status_code == 401
    assert not ApiRefresh.objects.exists()


@pytest.mark.parametrize("name", ["", "nothing", "a" * 300])
def test_what_is_no_session_of_his_is_not_ended(desk, user, name):
    somebody = sign_in(make_user(Role.ADMIN))
    theirs = session_name(key_of(somebody))

    for wanted in (name, theirs, key_of(somebody)):
        shown = text_of(desk.post(f"{LIST}end/", {"session": wanted}, follow=True))
        assert "That session was over already." in shown

    assert is_in(somebody)
    assert not ended().exists()


def test_an_admin_sees_and_ends_what_others_are_signed_in_with(desk, user):
    program = Caller(user)
    program.sign_in()
    admin = sign_in(make_user(Role.ADMIN))
    assert "Who else is signed in" in text_of(admin.get(LIST))
    assert "Who else is signed in" not in text_of(desk.get(LIST))

    admin.post(f"{LIST}end-user/", {"user": user.pk})

    assert not is_in(desk)
    assert program.get("orders/").status_code == 401
    assert ended(reason="ended by an admin").count() == 2
    assert is_in(admin)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.EXIT_ONLY])
def test_nobody_else_ends_what_others_are_signed_in_with(desk, user, role):
    other = sign_in(make_user(role))

    assert other.post(f"{LIST}end-user/", {"user": user.pk}).status_code == 403

    assert is_in(desk)


@pytest.mark.parametrize("wanted", ["", "0", "99999", "-1", "x", "9" * 40])
def test_an_admin_ends_nothing_of_nobody(wanted):
    admin = sign_in(make_user(Role.ADMIN))

    assert admin.post(f"{LIST}end-user/", {"user": wanted}).status_code == 404


def test_the_host_ends_everything_of_a_user(desk, user, capsys):
    call_command("end_sessions", "agent")

    assert capsys.readouterr().out == "Sessions of agent ended: 1.\n"
    assert not is_in(desk)
    assert ended(reason="ended from the host", actor="host").count() == 1
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("end_sessions", "nobody")


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


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome on Windows"),
        (FIREFOX, "Firefox on Linux"),
        (CHROME + " Edg/131.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Version/18 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/131 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605.1", "Safari on macOS"),
        ("python-requests/2.32.3", "python-requests"),
        ("curl/8.5.0", "curl"),
        ("Firefox", "Firefox"),
        ("", "Unknown program"),
        ("\x1b[31m<b>é", "[31m<b>"),
        ("x" * 200, "x" * 40),
    ],
)
def test_a_device_is_named_in_plain_words(agent, words):
    assert device_words(agent) == words
