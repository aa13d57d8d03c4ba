"""How the database reaches what pages show: by an index, however long the history is.

SQLite plans by its indexes alone, so that a plan for ten broadcasts is that for a million orders.
"""

import re
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from accounts.live.shelf import rendered
from accounts.models import Account, Position, User
from orders.models import AccountOrder, AccountOrderLeg, PlacedOrderSet
from orders.selectors.explaining import explained
from orders.selectors.runway import open_sets_by_login
from orders.selectors.targets import everything_there
from orders.selectors.writes import writes_of_accounts
from orders.services.seeking import take_due
from tests.support.history import fill_history

# They grow with every order, by several rows.
LONG = ("orders_accountorder", "orders_accountorderleg", "orders_legfill")
FILTERS = (
    *("", "status=FILLED", "status=SOME_REJECTED", "status=SOME_WORKING", "strategy=VERTICAL"),
    *("kind=STOCKS", "purpose=CLOSE", "since=2026-01-02", "until=2026-01-02", "q=%231"),
    *("q=SPX", "q=Account", "sort=placed", "sort=strategy", "sort=-average", "sort=status"),
)
PAGES = (
    *(
        "/",
        "/stocks/",
        "/positions/",
        "/accounts/",
        "/logins/",
        "/status/",
        "/positions/elsewhere/",
    ),
    *("/desk/sets/", "/desk/unknown/", "/desk/alarms/", "/desk/modes/", "/record/?kind=set"),
    *("/record/?actor=poll", "/history.csv", "/history.csv?per=accounts"),
)

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL plans by what it counted"
)


@pytest.fixture
def agent(client, db):
    """The agent's browser, on a site with a short past."""
    fill_history(accounts=2, broadcasts=10, working=2)
    account = Account.objects.earliest("position")
    filled = AccountOrderLeg.objects.filter(child__account=account, filled__gt=0)
    symbol = filled.latest("pk").symbol
    Position.objects.create(
        account=account, symbol=symbol, asset_type="OPTION", quantity=1, read_at=timezone.now()
    )
    client.force_login(User.objects.get(role="AGENT"))
    rendered.clear()
    return client


@contextmanager
def plans_of():
    """Collect each statement with the lines of its plan."""
    found = []

    def explain(execute, sql, params, many, context):
        if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            cursor = connection.connection.cursor()
            cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%s", "?"), params or ())
            found.append((sql, [row[-1] for row in cursor.fetchall()]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found


def read_through(plans):
    """Return the statements that go through all rows of a long table."""
    return [(sql, line) for sql, lines in plans for line in lines if _goes_through(sql, line)]


def _goes_through(sql, line):
    scan = re.match(r"SCAN (\w+)", line)
    if scan is None:
        return False
    name = scan.group(1)
    tables = set(re.findall(rf'"(\w+)" {name}\b', sql)) or {name}
    return tables <= set(LONG)


@pytest.mark.parametrize("query", FILTERS)
def test_the_history_is_narrowed_and_sorted_without_going_through_all_orders(agent, query):
    with plans_of() as plans:
        answer = agent.get(f"/history/?{query}")

    assert answer.status_code == 200
    assert read_through(plans) == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_goes_through_all_orders(agent, page):
    with plans_of() as plans:
        answer = agent.get(page)
        if answer.streaming:
            b"".join(answer.streaming_content)

    assert answer.status_code == 200
    assert plans
    assert read_through(plans) == []


def test_a_plan_that_goes_through_all_orders_is_found(agent):
    with plans_of() as plans:
        list(AccountOrder.objects.filter(reason="none"))

    assert len(read_through(plans)) == 1


def test_what_is_asked_again_and_again_begins_from_what_is_open(agent):
    now = timezone.now()
    with plans_of() as plans:
        explained(alive_on=now.date())
        open_sets_by_login()
        everything_there()
        writes_of_accounts(now)
        take_due(now=now)

    assert len(plans) >= 8
    assert read_through(plans) == []


def test_the_open_sets_are_found_by_an_index(agent):
    with plans_of() as plans:
        list(PlacedOrderSet.objects.filter(flat_at__isnull=True).order_by("-pk")[:41])

    ((_, lines),) = plans
    assert "INDEX sets_by_flat_at" in lines[0]
