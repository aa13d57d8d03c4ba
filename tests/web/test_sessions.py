"""Sessions: how long they last, and what uses them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import UserSession
from accounts.services import session_use
from tests.web.browsing import HTMX, text_of
from tests.web.session_pages import FLEET, LIST, POLL
from tests.web.signing_in import CHROME, HERE, is_in, let_pass, row_of, sign_in

pytestmark = pytest.mark.django_db
STAY = "/settings/sessions/stay/"


def rest_of(row: UserSession) -> int:
    """Return how many minutes a session lasts without use."""
    return round((row.expire_date - timezone.now()).total_seconds() / 60)


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
