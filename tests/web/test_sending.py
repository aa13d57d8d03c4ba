"""Sending from the page: once per intent, by those who may, with JavaScript and without."""

from uuid import uuid4

import pytest

from orders.models import AccountOrder, ComplexOrder
from tests.support.fleet import PASSWORD
from tests.web.browsing import HTMX, become, form_in, open_ticket, text_of

SENT = {"SUBMITTING", "WORKING", "FILLED"}


@pytest.fixture
def send(agent, queue, django_capture_on_commit_callbacks):
    """Send a ticket from the page, and let its transaction commit."""

    def post(values, **options):
        with django_capture_on_commit_callbacks(execute=True):
            return agent.post("/desk/send/", values, **options)

    return post


def test_a_condor_goes_from_the_ticket_over_the_review_to_every_account(agent, fleet, send, queue):
    values = open_ticket(agent)
    reviewed = form_in(agent.post("/desk/review/", values, headers=HTMX))

    answer = send(reviewed, headers=HTMX)

    order = ComplexOrder.objects.get()
    assert f"Broadcast #{order.pk} Iron condor SPX" in text_of(answer)
    assert "is on its way" in text_of(answer)
    assert str(order.idempotency_key) == values["intent"]
    assert (order.agent, order.price_effect, order.contracts) == (fleet.agent, "NET_CREDIT", 1)
    assert AccountOrder.objects.filter(status="READY").count() == 3
    assert queue.messages("placement") == 1
    fleet.send(order)
    assert set(fleet.statuses(order)) <= SENT


@pytest.mark.parametrize(
    ("strategy", "typed"),
    [
        ("VERTICAL", {"kind": "BEAR_CALL"}),
        ("VERTICAL", {"kind": "BULL_CALL"}),
        ("SINGLE_OPTION", {"side": "CALL", "instruction": "SELL_TO_OPEN"}),
        ("EQUITY", {"underlying": "AAPL", "instruction": "BUY"}),
    ],
)
def test_every_strategy_is_accepted_by_the_broker_as_it_is_offered(
    agent, fleet, send, strategy, typed
):
    send(open_ticket(agent, strategy=strategy, **typed), headers=HTMX)

    order = ComplexOrder.objects.get()
    fleet.send(order)
    assert order.strategy == strategy
    assert set(fleet.statuses(order)) <= SENT
    assert len(fleet.broker.orders()) == 3


def test_a_second_click_shows_the_first_broadcast_and_sends_nothing(agent, send, queue):
    values = open_ticket(agent)

    send(values, headers=HTMX)
    again = send(values, headers=HTMX)

    assert ComplexOrder.objects.count() == 1
    assert AccountOrder.objects.count() == 3
    assert queue.messages("placement") == 1
    assert "nothing was sent twice" in text_of(again)
    assert f"#{ComplexOrder.objects.get().pk}" in text_of(again)


def test_a_used_intent_with_other_content_is_refused_and_gets_a_fresh_one(agent, send):
    values = open_ticket(agent)
    send(values, headers=HTMX)

    answer = send(values | {"contracts": "2"}, headers=HTMX)

    assert ComplexOrder.objects.count() == 1
    assert "This ticket was sent before" in text_of(answer)
    kept = form_in(answer)
    assert kept["contracts"] == "2"
    assert kept["intent"] != values["intent"]


def test_with_the_queue_down_the_ticket_stays_and_nothing_is_written(agent, queue):
    from tradeswim.celery import app

    values = open_ticket(agent)
    app.conf.update(broker_url="redis://127.0.0.1:9/0")

    answer = agent.post("/desk/send/", values, headers=HTMX)

    assert "so nothing was sent" in text_of(answer)
    assert form_in(answer) == values
    assert ComplexOrder.objects.count() == 0


def test_without_javascript_a_ticket_is_reviewed_sent_and_led_back_to_the_desk(agent, send):
    page = agent.get("/desk/ticket/")
    reviewed = agent.post("/desk/review/", form_in(page))

    answer = send(form_in(reviewed))

    assert text_of(page).startswith("<!DOCTYPE html>")
    assert "SEND TO 3 ACCOUNTS" in text_of(reviewed)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert ComplexOrder.objects.count() == 1
    shown = text_of(agent.get("/"))
    assert f"Broadcast #{ComplexOrder.objects.get().pk} Iron condor SPX sent." in shown


def test_without_javascript_errors_come_with_the_whole_page(agent):
    values = form_in(agent.get("/desk/ticket/")) | {"contracts": "0"}

    answer = agent.post("/desk/send/", values)

    assert text_of(answer).startswith("<!DOCTYPE html>")
    assert "whole number from 1" in text_of(answer)


@pytest.mark.parametrize("role", ["VIEWER", "EXIT_ONLY"])
@pytest.mark.parametrize("headers", [HTMX, {}])
@pytest.mark.parametrize("step", ["ticket", "review", "send"])
def test_who_may_not_trade_is_refused_in_words(agent, fleet, step, headers, role):
    values = open_ticket(agent)
    become(agent, fleet.agent, role)

    answer = agent.post(f"/desk/{step}/", values, headers=headers)

    assert answer.status_code == 403
    assert "Your role may" in text_of(answer)
    assert ComplexOrder.objects.count() == 0


@pytest.mark.parametrize("step", ["review", "send"])
def test_nothing_is_sent_by_following_a_link(agent, step):
    assert agent.get(f"/desk/{step}/").status_code == 405


def test_a_forged_form_is_refused(fleet):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(fleet.agent)

    answer = browser.post("/desk/send/", {"intent": str(uuid4())})

    assert answer.status_code == 403
    assert PASSWORD not in text_of(answer)
