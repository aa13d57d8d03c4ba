"""The list of placed order sets and the page of one: progress, accounts, what is left over."""

import re

import pytest

from accounts.models import User
from tests.integration.orders.leaving import enter
from tests.web.browsing import HTMX, text_of


@pytest.fixture
def way(fleet):
    """A condor of one contract, filled in three accounts."""
    return enter(fleet, fleet.condor(2))


def test_a_filled_broadcast_stands_in_the_list_with_its_exit(agent, way):
    page = text_of(agent.get("/desk/sets/"))

    assert "Iron condor SPX" in page
    assert page.count('<b class="sell">STO</b> SPXW') == 2
    assert f'href="/desk/sets/{way.placed_set.pk}/exit/">EXIT</a>' in page
