"""Many exits at the same moment, in real threads: never more is closed than is held."""

from uuid import UUID, uuid4

import pytest

from orders.models import AccountOrder, ComplexOrder, ExitStep
from orders.services.exits.advancing import advance_exits
from orders.services.placing import place_account_orders
from tests.integration.orders.leaving import Way, bookmark, enter, grow_old
from tests.integration.orders.test_odd_exits import puts_of
from tests.integration.orders.test_races import at_once
from tests.support.fleet import Fleet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def way(fleet, condor) -> Way:
    return enter(fleet, condor)


def carry_on(fleet: Fleet) -> list[UUID]:
    """Do what a worker does when it is rung; return the orders that it wrote."""
    ready = list(advance_exits(gateway=fleet.gateway).ready.values())
    for ids in ready:
        place_account_orders(ids=ids, gateway=fleet.gateway)
    return [pk for ids in ready for pk in ids]


def test_ten_clicks_from_four_threads_open_one_exit(way):
    key = uuid4()
    clicks = [lambda: way.open(), lambda: way.open(key=key), lambda: way.open(key=key), way.open]
    results = [one for _ in range(3) for one in at_once(*clicks)]

    assert sum(one.is_new for one in results) == 1
    assert len({one.order.pk for one in results}) == 1
    assert ExitStep.objects.count() == 3


def test_many_workers_carry_one_exit_on_and_each_account_gets_one_order(way, fleet):
    way.open()
    results = at_once(*[lambda: carry_on(fleet)] * 4)

    assert len([pk for written in results for pk in written]) == 3
    assert AccountOrder.objects.filter(purpose="CLOSE").count() == 3
    way.go(passes=3)
    assert len(way.closing()) == 3
    assert way.is_flat()


def test_two_sets_with_a_leg_in_common_never_close_it_twice(way, fleet, condor):
    second = enter(fleet, puts_of(condor))
    for index in range(3):
        way.hold(index, [1, -1, -1, 1])  # somebody has closed the second one's share by hand
    at_once(way.open, lambda: second.open())
    at_once(*[lambda: carry_on(fleet)] * 4)
    way.go(passes=2)
    grow_old()
    way.go(passes=3)

    assert [way.held(index) for index in range(3)] == [[0] * 4] * 3
    assert {order["status"] for order in way.closing()} <= {"FILLED", "CANCELED"}
    closed = sum(
        int(leg["quantity"])
        for order in way.closing()
        if order["status"] == "FILLED"
        for leg in order["orderLegCollection"]
        if leg["instrument"]["symbol"] == way.symbols[0]
    )
    assert closed == 3


def test_exits_of_other_accounts_at_the_same_moment_do_not_wait_for_each_other(way, fleet):
    one, other = (account.pk for account in fleet.accounts[:2])
    first, second = at_once(lambda: way.open(accounts=(one,)), lambda: way.open(accounts=(other,)))
    assert (first.is_new, second.is_new) == (True, True)
    assert ComplexOrder.objects.filter(purpose="CLOSE").count() == 2
    way.go(passes=3)
    assert [way.held(index) for index in range(3)] == [[0] * 4, [0] * 4, [1, -1, -1, 1]]


def test_a_set_that_is_made_twice_at_once_is_one_set(fleet, condor):
    order = fleet.broadcast(condor)
    fleet.poll()
    ways = at_once(*[lambda: bookmark(fleet, order)] * 3)
    assert len({one.placed_set.pk for one in ways}) == 1
