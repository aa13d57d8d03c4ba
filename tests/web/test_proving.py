"""Where money is real, the first order of the day and a long session ask for the password again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Tries, User
from orders.models import ComplexOrder
from orders.selectors.proving import FIRST_OF_DAY, LONG_SESSION
from tests.support.fleet import PASSWORD
from tests.web.browsing import HTMX, form_in, open_ticket, text_of

ASKED = 'name="password"'


@pytest.fixture
def live(agent, settings):
    """The same fleet, as if its money were real."""
    settings.IS_PAPER = False
    return agent


def review(client, values):
    return client.post("/desk/review/", values, headers=HTMX)


def send(client, values, **more):
    return client.post("/desk/send/", values | more, headers=HTMX)


def test_paper_money_asks_nobody(agent, queue):
    assert ASKED not in text_of(review(agent, open_ticket(agent)))


def test_the_first_order_of_the_day_asks_once(live, queue):
    values = open_ticket(live)

    page = review(live, values)
    refused = send(live, form_in(page))
    assert FIRST_OF_DAY in text_of(page)
    assert "Give your password. Nothing was sent." in text_of(refused)
    assert ComplexOrder.objects.count() == 0

    send(live, form_in(page), password=PASSWORD)
    assert ComplexOrder.objects.count() == 1
    assert ASKED not in text_of(review(live, open_ticket(live)))


def test_a_wrong_password_sends_nothing_and_is_not_shown_again(live, queue):
    answer = send(live, open_ticket(live), password="a wrong guess")

    assert "That is not your password. Nothing was sent." in text_of(answer)
    assert "a wrong guess" not in text_of(answer)
    assert ComplexOrder.objects.count() == 0


def test_whoever_finds_an_open_browser_guesses_five_times_in_a_quarter_of_an_hour(live, queue):
    values = open_ticket(live)
    for _ in range(5):
        assert "That is not your password." in text_of(send(live, values, password="a guess"))
    closed = text_of(send(live, values, password=PASSWORD))
    assert "Too many tries." in closed
    assert "Nothing was sent." in closed
    assert ComplexOrder.objects.count() == 0
    kinds = AuditEvent.objects.filter(kind__in=["proof refused", "locked out"])
    assert list(kinds.order_by("id").values_list("kind", flat=True)) == [
        *["proof refused"] * 5,
        "locked out",
    ]

    Tries.objects.update(since=timezone.now() - timedelta(minutes=15))
    send(live, values, password=PASSWORD)
    assert ComplexOrder.objects.count() == 1


def test_guesses_stop_nobody_who_gave_his_password_today(live, queue):
    send(live, open_ticket(live), password=PASSWORD)
    for _ in range(6):
        live.post("/prove/", {"password": "a guess"})

    send(live, open_ticket(live, contracts="2"))

    assert ComplexOrder.objects.count() == 2


def test_a_session_of_more_than_twelve_hours_asks_again(live, fleet, queue):
    send(live, open_ticket(live), password=PASSWORD)
    long_ago = timezone.now() - timedelta(hours=13)
    User.objects.filter(pk=fleet.agent.pk).update(last_login=long_ago)
    session = live.session
    session["proved_to_send_at"] = long_ago.isoformat()
    session.save()

    assert LONG_SESSION in text_of(review(live, open_ticket(live)))
