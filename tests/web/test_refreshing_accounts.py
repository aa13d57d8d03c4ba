"""Balances are read anew when somebody presses: what it costs, how far it is, what fails."""

import re
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.models import RefreshRun
from accounts.services.refreshing import run_refresh
from tests.support.make import make_account, make_login
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to
from tests.web.browsing import HTMX, text_of


def test_the_page_says_what_a_refresh_costs_before_it_is_pressed(agent, fleet):
    page = text_of(agent.get("/accounts/"))

    assert '<span class="muted push hint" id="cost">3 calls, one per login</span>' in page
    assert 'data-key="r"' in page


def test_logins_under_one_key_say_how_long_they_have_to_wait(trader, settings):
    settings.BUDGET_PER_MINUTE = 30
    for number in range(45):
        make_account(make_login(label=f"Schwab {number}", app_key="the same"))

    page = text_of(trader.get("/accounts/"))

    assert "Costs 45 requests of 1 app key; 1 key has to wait about" in page


def test_a_press_shows_progress_and_a_second_one_shows_the_same(
    agent, fleet, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = agent.post("/accounts/refresh/?all=1", headers=HTMX)

    assert queue.messages("accounts") == 1
    assert '<hx-partial hx-target="#refresh"' in text_of(answer)
    assert '<span class="num">0/3</span> read' in text_of(answer)
    assert "3 calls, one per login; asked by agent" in text_of(answer)

    agent.post("/accounts/refresh/?all=1", headers=HTMX)
    assert RefreshRun.objects.count() == 1

    run_refresh(RefreshRun.objects.get().pk, gateway=fleet.gateway)
    panel = text_of(agent.get("/accounts/grid/", headers=HTMX))
    assert '<span class="num">3/3</span> read' in panel
    assert 'data-say="3 of 3 accounts read"' in panel


def test_failures_stand_by_name_in_plain_words(agent, fleet, queue):
    fleet.broker.fault("http_500", method="GET", path="/trader/v1/accounts")
    agent.post("/accounts/refresh/?all=1", headers=HTMX)

    run_refresh(RefreshRun.objects.get().pk, gateway=fleet.gateway)

    panel = text_of(agent.get("/accounts/grid/", headers=HTMX))
    assert '<span class="num">2/3</span> read' in panel
    assert "1 not read" in panel
    assert re.search(r"<b>Paper 00\d:</b> the broker is out of order or away", panel)


def test_one_and_several_are_refreshed_alone(agent, fleet, queue):
    one, *others = fleet.accounts
    ticked = {"account": [str(account.pk) for account in others]}
    agent.post(f"/accounts/refresh/?only={one.pk}", ticked, headers=HTMX)
    agent.post("/accounts/refresh/", ticked, headers=HTMX)

    wanted = [set(run.accounts) for run in RefreshRun.objects.order_by("pk")]
    assert wanted == [{str(one.pk)}, {str(account.pk) for account in others}]


def test_a_refresh_nobody_hears_is_refused_in_words(trader, trio, queue):
    point_celery_to(f"redis://127.0.0.1:{dead_port()}/0")

    answer = trader.post("/accounts/refresh/?all=1", headers=HTMX)

    assert answer.status_code == 409
    assert "The task queue (Redis) does not answer, so nothing was read." in text_of(answer)
    assert not RefreshRun.objects.exists()


def test_a_refresh_that_nobody_finishes_says_so(trader, trio, queue):
    trader.post("/accounts/refresh/?all=1")
    RefreshRun.objects.update(
        asked_at=timezone.now() - timedelta(seconds=125), failures={}, finished_at=None
    )

    assert "Nobody finished it" in text_of(trader.get("/accounts/"))


def test_without_javascript_a_refresh_says_its_cost_on_the_page(agent, fleet, queue):
    page = agent.post("/accounts/refresh/?all=1", follow=True)

    assert page.redirect_chain == [("/accounts/", 302)]
    assert "Reading 3 accounts: 3 calls, one per login." in text_of(page)


def test_an_account_that_is_not_here_is_not_refreshed(trader, trio, queue):
    assert trader.post(f"/accounts/refresh/?only={uuid4()}").status_code == 404
