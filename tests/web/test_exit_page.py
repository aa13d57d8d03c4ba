"""The confirmation of an exit: what is said, what is kept, what goes out once."""

import re
from decimal import Decimal

import pytest

from accounts.domain.words import Mode, ModeScope
from orders.models import ExitStep
from tests.integration.orders.leaving import enter
from tests.support.make import make_mode
from tests.web.browsing import HTMX, become, form_in, text_of
from tests.web.leaving import exits, leave_over, page_of


@pytest.fixture
def typed(agent, way):
    """What stands in the form at first."""
    return form_in(agent.get(page_of(way, "exit")))


def test_the_confirmation_says_what_where_how_much_and_at_which_price(agent, way, typed):
    page = text_of(agent.get(page_of(way, "exit")))

    assert page.count('<b class="buy">BTC</b> SPXW') == 2
    assert page.count('<b class="sell">STC</b> SPXW') == 2
    assert "<b>6</b> contracts in 3 accounts" in page
    assert "<dt>Net debit</dt>" in page
    assert re.search(rf'mid <b>{typed["limit"]}</b> <b class="(pos|neg)">[▲▼] [+−]', page)
    assert (typed["pricing"], typed["percent"], typed["scope"]) == ("LIMIT", "100", "all")
    assert 'EXIT<span class="needs-script">3 accounts</span>' in page
    assert "<dt>Entered</dt> <dd> credit <b>" in page
    assert "Keep position</a>" in page
    assert exits() == []


def test_one_click_exits_every_account_and_leads_to_the_set(agent, way, typed, click, queue):
    before = queue.messages("placement")
    answer = click(page_of(way, "exit"), typed)

    (order,) = exits()
    assert (answer.status_code, answer["Location"]) == (302, page_of(way))
    assert str(order.idempotency_key) == typed["intent"]
    assert (order.limit, order.percent, order.pricing) == (Decimal(typed["limit"]), 100, "LIMIT")
    assert ExitStep.objects.filter(order=order).count() == 3
    assert queue.messages("placement") == before + 1
    assert f"Exit #{order.pk} of set #{way.placed_set.pk} is on its way." in text_of(
        agent.get(page_of(way))
    )


def test_a_second_click_of_the_same_intent_finds_the_first_exit(agent, way, typed, click):
    click(page_of(way, "exit"), typed)
    agent.get(page_of(way))
    way.go(passes=3)

    answer = click(page_of(way, "exit"), typed)

    assert len(exits()) == 1
    assert answer.status_code == 302
    assert "was begun before; this is the same one" in text_of(agent.get(page_of(way)))
    assert len(way.closing()) == 3


def test_another_click_while_the_exit_works_finds_it_too(agent, way, typed, click):
    other = form_in(agent.get(page_of(way, "exit")))
    click(page_of(way, "exit"), typed)

    click(page_of(way, "exit"), other)

    assert other["intent"] != typed["intent"]
    assert len(exits()) == 1


def test_an_exit_of_a_flat_set_says_that_nothing_is_left(agent, way, typed, click):
    way.leave()

    answer = click(page_of(way, "exit"), typed)

    assert answer["Location"] == page_of(way)
    assert "Nothing of this set is left to close" in text_of(agent.get(page_of(way)))
    assert len(exits()) == 1


def test_a_used_intent_with_other_terms_is_refused_and_gets_a_fresh_one(way, typed, click):
    click(page_of(way, "exit"), typed)
    way.go(passes=3)

    answer = click(page_of(way, "exit"), typed | {"percent": "50"})

    assert "This exit was sent before, with other terms" in text_of(answer)
    kept = form_in(answer)
    assert kept["percent"] == "50"
    assert kept["intent"] != typed["intent"]
    assert len(exits()) == 1


def test_with_the_queue_down_the_form_stays_and_nothing_is_written(agent, way, typed, click):
    from tradeswim.celery import app

    app.conf.update(broker_url="redis://127.0.0.1:9/0")

    answer = click(page_of(way, "exit"), typed)

    assert "so nothing was sent" in text_of(answer)
    assert form_in(answer) == typed
    assert exits() == []


def test_accounts_left_out_are_named_with_the_reason(agent, fleet, broker, queue, settings):
    settings.CACHE_URL = queue.url
    broker.fault("reject", method="POST", account=fleet.accounts[0].hash_value)
    way = enter(fleet, fleet.condor(1))
    way.open(accounts=(fleet.accounts[1].pk,))

    page = text_of(agent.get(page_of(way, "exit")))

    assert "2 accounts left out" in page
    assert f"<b>{fleet.accounts[1].alias}</b> An exit of it is at work." in page
    assert f"<b>{fleet.accounts[0].alias}</b> Rejected." in page
    assert "contract in 1 account" in page


def test_a_frozen_account_is_told_of_before_the_click(agent, way, fleet):
    make_mode(Mode.FROZEN, ModeScope.ACCOUNT, str(fleet.accounts[0].pk))

    page = text_of(agent.get(page_of(way, "exit")))

    assert "1 account</b> with a note" in page
    assert f"<b>{fleet.accounts[0].alias}</b>" in page
    assert "a test says so" in page


def test_without_javascript_the_terms_are_drawn_with_the_whole_page(agent, way, typed):
    answer = agent.post(page_of(way, "exit", "terms"), typed | {"percent": "50"})

    assert text_of(answer).startswith("<!DOCTYPE html>")
    assert "<b>3</b> contracts in 3 accounts" in text_of(answer)
    assert exits() == []


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_who_may_only_look_exits_nothing(agent, fleet, way, typed, headers):
    way.open(accounts=(fleet.accounts[0].pk,))
    step = leave_over(way, 0)
    become(agent, fleet.agent, "VIEWER")

    for more in (
        "exit",
        "exit/terms",
        f"{step.pk}/retry",
        f"{step.pk}/chase",
        f"{step.pk}/handled",
    ):
        answer = agent.post(page_of(way, more), typed | {"why": "no"}, headers=headers)
        assert answer.status_code == 403
    assert agent.get(page_of(way, "exit"), headers=headers).status_code == 403
    assert len(exits()) == 1
    assert way.states() == ["RESIDUAL"]


def test_who_may_only_exit_does(agent, way, typed, click, fleet):
    become(agent, fleet.agent, "EXIT_ONLY")

    click(page_of(way, "exit"), typed)

    assert len(exits()) == 1


@pytest.mark.parametrize("more", ["exit/terms", "1/retry", "1/chase"])
def test_nothing_is_done_by_following_a_link(agent, way, more):
    assert agent.get(page_of(way, more)).status_code == 405
