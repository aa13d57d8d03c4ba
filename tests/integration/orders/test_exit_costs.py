"""What an exit costs: as many statements for fifty accounts as for five, two reads of each login."""

import pytest
from django.utils import timezone

from orders.domain.exits import Pricing
from orders.models import ExitStep
from orders.services.exits.advancing import advance_exits
from orders.services.exits.in_hand import Hands
from orders.services.exits.writing import give_up, postpone
from tests.integration.orders.hands import statements
from tests.integration.orders.leaving import enter

OPENING, PLANNING, PROVING = 23, 31, 30
POSTPONING, GIVING_UP = 1, 7


@pytest.mark.parametrize("accounts", [5, 50])
def test_statements_of_an_exit_do_not_grow_with_accounts(crowd, prices, accounts):
    way = enter(crowd, crowd.condor(), accounts=crowd.accounts[:accounts])

    prices.client.flushall()  # whether quotes are still remembered would be the clock's affair
    opening = statements(lambda: way.open(pricing=Pricing.NATURAL, limit=None))
    planning = statements(lambda: advance_exits(gateway=crowd.gateway))

    assert way.states() == ["CLOSING"] * accounts
    assert (opening, planning) == (OPENING, PLANNING)


@pytest.mark.parametrize("accounts", [5, 50])
def test_statements_that_prove_an_exit_do_not_grow_with_accounts(crowd, prices, accounts):
    way = enter(crowd, crowd.condor(), accounts=crowd.accounts[:accounts])
    way.open(pricing=Pricing.NATURAL, limit=None)
    way.go()

    proving = statements(lambda: advance_exits(gateway=crowd.gateway))

    assert way.is_flat()
    assert proving == PROVING


@pytest.mark.parametrize("accounts", [5, 50])
def test_statements_of_steps_that_wait_or_end_do_not_grow_with_accounts(crowd, accounts):
    way = enter(crowd, crowd.condor(), accounts=crowd.accounts[:accounts])
    way.open()
    steps, now = list(ExitStep.objects.all()), timezone.now()
    words = {step.pk: "The market is closed." for step in steps}

    postponing = statements(lambda: postpone(steps, words, until=now))
    giving_up = statements(lambda: give_up(steps, words, now=now))

    assert way.states() == ["RESIDUAL"] * accounts
    assert (postponing, giving_up) == (POSTPONING, GIVING_UP)


def test_a_close_waits_for_two_reads_of_each_login_and_no_more(fleet, condor):
    way = enter(fleet, condor)
    way.open()
    before = fleet.broker.journal()[-1]["seq"]
    advance_exits(gateway=fleet.gateway)

    rows = [row["path"] for row in fleet.broker.journal(before)]
    assert sorted(rows) == ["/trader/v1/accounts"] * 3 + ["/trader/v1/orders"] * 3


def test_a_pass_asks_nothing_about_steps_that_another_one_has_in_hand(fleet, condor):
    way, hands = enter(fleet, condor), Hands()
    way.open()
    first, *others = [step.pk for step in way.steps()]
    before = fleet.broker.journal()[-1]["seq"]

    with hands.take([first]):
        assert advance_exits(gateway=fleet.gateway, hands=hands).steps == len(others)
    assert len(fleet.broker.journal(before)) == 2 * len(others)
    assert way.states() == ["WAITING", "CLOSING", "CLOSING"]

    assert advance_exits(gateway=fleet.gateway, hands=hands).steps == 1
    assert way.states() == ["CLOSING"] * 3
