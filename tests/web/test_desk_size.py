"""What the options desk costs with a past: 45 accounts, 500 broadcasts, 40 of them open."""

import re
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.live.shelf import rendered
from accounts.models import User
from tests.support.history import fill_history
from tests.web.browsing import HTMX

PAGE, PANELS = "/", ("/desk/panels/orders/", "/desk/panels/sets/", "/desk/sets/")


@pytest.fixture
def agent(db):
    """The agent's browser, on a site with a past."""
    fill_history(accounts=45, broadcasts=500, working=40, detailed=0)
    rendered.clear()
    browser = Client()
    browser.force_login(User.objects.get(role="AGENT"))
    return browser


@contextmanager
def queries_within(most):
    with CaptureQueriesContext(connection) as queries:
        yield
    assert len(queries) <= most, "\n".join(query["sql"][:150] for query in queries)


def test_pages_and_panels_stay_within_their_queries_and_bytes(agent):
    with queries_within(16):  # one of them because no beat has run yet
        first = agent.get(PAGE)
    with queries_within(4):
        again = agent.get(PAGE)
    assert len(again.content) < 190_000
    page = again.content.decode()
    assert page == first.content.decode() or len(page) == len(first.content.decode())
    assert page.count('<tbody id="broadcast-') == 32  # every fifth is in shares
    assert page.count('<i class="st ') >= 33 * 45
    assert page.count('<article class="entry"') == 40

    for address, cold, most_bytes in zip(
        PANELS, (8, 10, 11), (150_000, 60_000, 170_000), strict=True
    ):
        rendered.clear()
        with queries_within(cold):
            first = agent.get(address, headers=HTMX)
        with queries_within(4):
            agent.get(address, headers=HTMX)
        with queries_within(4):
            same = agent.get(address, headers=HTMX | {"HX-PTag": first["HX-PTag"]})
        assert same.status_code == 304
        assert len(first.content) < most_bytes


def test_panels_hold_nothing_of_one_user(agent):
    for address in PANELS:
        content = agent.get(address, headers=HTMX).content.decode()

        assert "csrfmiddlewaretoken" not in content
        assert not re.search(r"\bstyle=|\bon\w+=", content)


def test_the_page_of_sets_lists_the_newest_and_has_a_way_to_all(agent):
    newest, everything = agent.get("/desk/sets/"), agent.get("/desk/sets/?all=1")
    cut, whole = newest.content.decode(), everything.content.decode()

    assert "The newest 100 are listed" in cut
    assert 'href="/desk/sets/?all=1"' in cut
    assert 'hx-get="/desk/sets/?all=1"' in whole
    assert "are listed" not in whole
    assert whole.count("<tr") > cut.count("<tr") > 100
