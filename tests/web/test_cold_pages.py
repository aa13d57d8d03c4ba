"""What each page costs that nobody asked for before: 45 accounts, 500 broadcasts, 40 of them open."""

import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.live.shelf import rendered
from accounts.models import Account, Position, User
from accounts.services.beat_runs import BeatRun, forget_runs, record_run
from orders.models import AccountOrderLeg, ComplexOrder, PlacedOrderSet
from tests.support.history import fill_history

MOST_QUERIES = 15
PAGES = (
    *("/", "/stocks/", "/positions/", "/history/", "/accounts/", "/logins/", "/status/"),
    *("/record/", "/settings/", "/settings/sessions/", "/positions/elsewhere/"),
    *("/settings/second-factors/", "/prove/"),
    *("/desk/sets/", "/desk/unknown/", "/desk/alarms/", "/desk/modes/"),
)


@pytest.fixture
def agent(db):
    """The agent's browser, on a site with a past, with beats that run and positions."""
    fill_history(accounts=45, broadcasts=500, working=40, detailed=0)
    _hold_what_was_filled()
    for beat in Beat:
        run = BeatRun(started_at=time.time(), finished_at=time.time())
        record_run(beat, run, silent={}, read=set(), savings=Savings())
    browser = Client()
    browser.force_login(User.objects.get(role="AGENT"))
    yield browser
    forget_runs()


def _hold_what_was_filled():
    """Let every account hold one of each thing that it ever traded."""
    traded = AccountOrderLeg.objects.filter(filled__gt=0, child__order_id__gt=400)
    pairs = traded.order_by().values_list("child__account_id", "symbol").distinct()
    now = timezone.now()
    Position.objects.bulk_create(
        Position(account_id=account, symbol=symbol, asset_type="OPTION", quantity=1, read_at=now)
        for account, symbol in pairs
    )
    Account.objects.update(positions_at=now)


def count(agent, page):
    """Return how many queries a page costs that was not rendered yet, and what they are."""
    rendered.clear()
    with CaptureQueriesContext(connection) as queries:
        answer = agent.get(page)
    assert answer.status_code == 200
    return len(queries), f"{page}\n" + "\n".join(query["sql"][:150] for query in queries)


@pytest.mark.timeout(180)
def test_no_page_costs_more_than_fifteen_queries_even_if_nothing_is_rendered_yet(agent):
    for page in PAGES:
        number, asked = count(agent, page)
        assert number <= MOST_QUERIES, asked


@pytest.mark.timeout(180)
def test_nor_does_one_broadcast_or_one_set_and_an_exit_costs_twenty(agent):
    order = ComplexOrder.objects.exclude(strategy="EQUITY").latest("pk")
    placed = PlacedOrderSet.objects.latest("pk")

    for page, most in (
        (f"/history/{order.pk}/", MOST_QUERIES),
        (f"/desk/sets/{placed.pk}/", MOST_QUERIES),
        (f"/desk/sets/{placed.pk}/exit/", 20),
    ):
        number, asked = count(agent, page)
        assert number <= most, asked
