"""The status page names what is wrong, says what everything costs, and starts beats."""

import pytest

from accounts.domain.beats import Beat
from orders.services.order_beats import run_order_beat
from tests.integration.orders.hands import only
from tests.web.browsing import HTMX, text_of


@pytest.fixture
def cached(queue, settings):
    settings.CACHE_URL = queue.url
    return queue


def test_the_page_shows_parts_beats_and_budget_of_every_key(agent, fleet, cached):
    fleet.broker.market(fills="manual")
    fleet.broadcast(fleet.shares())
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)

    page = text_of(agent.get("/status/"))

    assert "takes messages" in page
    assert "3 of 3 due, 3 in all" in page
    assert all(login.label in page for login in fleet.logins)
    assert "Every login answers." in page
    assert "all well" in page


def test_the_page_never_shows_an_app_key(agent, fleet, cached):
    page = agent.get("/status/").content.decode()

    for offer, login in zip(fleet.broker.logins(), fleet.logins, strict=False):
        assert offer["app_key"] not in page
        assert login.app_key_index not in page


def test_a_login_that_fails_is_named_with_the_reason_until_it_answers(agent, fleet, cached):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[1:2])
    fleet.broker.fault(
        "html_403", method="GET", path=f"/orders/{only(fleet, order).broker_order_id}"
    )
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)

    page = text_of(agent.get("/status/panel/", headers=HTMX))
    assert f"{fleet.logins[1].label}</th>" in page
    assert "HTTP 403" in page
    assert "look here" in page

    run_order_beat(Beat.STOCKS, gateway=fleet.gateway, at_once=True)
    assert "Every login answers." in text_of(agent.get("/status/panel/", headers=HTMX))


def test_an_agent_starts_a_beat_and_sees_that_it_was_asked_for(
    agent, fleet, cached, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = agent.post("/status/sync/accounts/", follow=True)

    assert "Accounts are read now. Costs 3 requests of 3 app keys." in text_of(answer)
    assert cached.messages("accounts") == 1


def test_who_only_looks_may_not_start_a_beat(viewer, fleet, cached):
    assert viewer.post("/status/sync/stocks/").status_code == 403
    assert "Read now" not in text_of(viewer.get("/status/"))
    assert cached.messages("stocks") == 0


def test_there_is_no_fourth_beat(agent, cached):
    assert agent.post("/status/sync/bonds/").status_code == 404


def test_without_redis_the_page_says_so_and_still_shows_the_rest(agent, fleet, settings):
    settings.CACHE_URL = "redis://127.0.0.1:9/0"

    page = text_of(agent.get("/status/"))

    assert "polls run at a quarter of their rate" in page
    assert fleet.logins[0].label in page


def test_the_page_costs_few_statements_whatever_the_fleet(
    agent, fleet, cached, django_assert_max_num_queries
):
    agent.get("/status/panel/", headers=HTMX)
    with django_assert_max_num_queries(13):
        agent.get("/status/panel/?again", headers=HTMX)
