"""What an exit costs: statements and reads at the broker, the same however many accounts it has."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.domain.exits import Pricing
from orders.services.exits.advancing import advance_exits
from tests.integration.orders.leaving import Way, enter

OPENING, PLANNING = 23, 26


@pytest.fixture
def way(fleet, condor, prices) -> Way:
    return enter(fleet, condor)


def statements(work) -> int:
    with CaptureQueriesContext(connection) as caught:
        work()
    return sum("SAVEPOINT" not in row["sql"] for row in caught.captured_queries)


@pytest.mark.parametrize("accounts", [1, 3])
def test_statements_from_the_click_to_the_plan_do_not_grow_with_accounts(way, fleet, accounts):
    chosen = tuple(account.pk for account in fleet.accounts[:accounts])
    opening = statements(lambda: way.open(accounts=chosen, pricing=Pricing.NATURAL, limit=None))
    planning = statements(lambda: advance_exits(gateway=fleet.gateway))

    assert (opening, planning) == (OPENING, PLANNING)


def test_a_close_waits_for_two_reads_of_each_login_and_no_more(way, fleet):
    way.open()
    before = fleet.broker.journal()[-1]["seq"]
    advance_exits(gateway=fleet.gateway)

    rows = [row["path"] for row in fleet.broker.journal(before)]
    assert sorted(rows) == ["/trader/v1/accounts"] * 3 + ["/trader/v1/orders"] * 3
