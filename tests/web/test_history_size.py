"""What the history reads stays small, however long it is and however many the accounts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.history import fill_history
from tests.support.make import make_user
from tests.web.browsing import HTMX
from tests.web.listing import history_lines, history_numbers
from tests.web.test_history import PAGE


@pytest.fixture
def long_past(client, db):
    """250 broadcasts to two accounts; their numbers, newest last."""
    client.force_login(make_user())
    return fill_history(accounts=2, broadcasts=250, working=0, detailed=0)


def test_an_open_page_of_many_accounts_reads_no_more_cells_than_a_few_pages(
    client, long_past, monkeypatch
):
    monkeypatch.setattr("orders.selectors.ground.MOST_SHARES", 20)  # ten rows of two accounts

    first = client.get(PAGE)
    panel = client.get("/history/panel/?since_id=1", headers=HTMX)

    assert len(history_numbers(first)) == 10
    assert history_numbers(panel) == long_past[::-1][:40]


def test_a_file_asks_once_where_the_accounts_stand(client, long_past):
    with CaptureQueriesContext(connection) as queries:
        history_lines(client.get("/history.csv"))

    assert sum('SELECT "accounts_account"."position"' in one["sql"] for one in queries) == 1


@pytest.mark.timeout(180)
def test_five_hundred_broadcasts_to_45_accounts_cost_few_queries_and_one_page(
    client, db, django_assert_max_num_queries
):
    fill_history(accounts=45, broadcasts=500, working=40)
    client.force_login(make_user())
    client.get("/positions/elsewhere/")  # the frame is the same for all pages

    with django_assert_max_num_queries(15):
        answer = client.get(PAGE)
    with django_assert_max_num_queries(15):
        narrowed = client.get(
            f"{PAGE}?q=Account+7&status=SOME_REJECTED&sort=-average", headers=HTMX
        )

    assert len(history_numbers(answer)) == 100
    assert len(answer.content) < 330_000
    assert len(narrowed.content) < 330_000
