"""EXIT of a set: exactly what is held is closed in every account, and shown to be gone."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from orders.domain.errors import AlreadyFlat, BadTicket, GuardRefused, KeyReused
from orders.domain.exits import Pricing
from orders.models import ComplexOrder
from tests.integration.orders.leaving import enter, grow_old

FLIPPED = {"BUY_TO_OPEN": "SELL_TO_CLOSE", "SELL_TO_OPEN": "BUY_TO_CLOSE"}


@pytest.fixture
def way(fleet, condor):
    """A condor of one contract in three accounts."""
    return enter(fleet, condor)


def test_every_account_closes_the_opposite_and_the_broker_shows_nothing_more(way, fleet):
    entries = fleet.broker.orders()
    order = way.leave()

    closing = way.closing()
    assert len(closing) == 3
    for entry, close in zip(entries, closing, strict=True):
        opened = {
            (FLIPPED[leg["instruction"]], leg["instrument"]["symbol"], leg["quantity"])
            for leg in entry["orderLegCollection"]
        }
        closed = {
            (leg["instruction"], leg["instrument"]["symbol"], leg["quantity"])
            for leg in close["orderLegCollection"]
        }
        assert opened == closed
        assert (entry["orderType"], close["orderType"]) == ("NET_CREDIT", "NET_DEBIT")
        assert close["complexOrderStrategyType"] == "IRON_CONDOR"
    assert [way.held(index) for index in range(3)] == [[0] * 4] * 3
    assert way.states() == ["DONE"] * 3
    assert all(step.flat_at for step in way.steps())
    assert way.is_flat()
    assert order.status == "FILLED"


def test_a_second_click_returns_the_exit_that_is_at_work(way):
    first = way.open()
    second = way.open()
    way.go(passes=3)

    assert (first.is_new, second.is_new) == (True, False)
    assert second.order == first.order
    assert len(way.closing()) == 3


def test_the_same_key_returns_the_same_exit_also_when_it_is_over(way):
    key = uuid4()
    order = way.leave(key=key)
    again = way.open(key=key)

    assert (again.order, again.is_new) == (order, False)


def test_the_same_key_for_other_terms_is_refused(way):
    key = uuid4()
    way.open(key=key)
    with pytest.raises(KeyReused):
        way.open(key=key, percent=50)


def test_what_is_flat_cannot_be_left_again(way):
    way.leave()
    with pytest.raises(AlreadyFlat):
        way.open()
    assert ComplexOrder.objects.filter(purpose="CLOSE").count() == 1


def test_half_of_it_then_the_rest(fleet, condor):
    way = enter(fleet, replace(condor, contracts=3))
    way.leave(percent=50)

    assert [way.held(index) for index in range(3)] == [[2, -2, -2, 2]] * 3
    assert way.states() == ["DONE"] * 3
    assert not way.is_flat()
    grow_old()
    way.leave()
    assert [way.held(index) for index in range(3)] == [[0] * 4] * 3
    assert way.is_flat()


def test_half_of_what_was_closed_by_hand_makes_the_set_flat(fleet, condor):
    way = enter(fleet, replace(condor, contracts=2))
    for index in range(3):
        way.hold(index, [0] * 4)
    way.leave(percent=50)

    assert way.is_flat()
    assert not way.closing()
    with pytest.raises(AlreadyFlat):
        way.open()


def test_half_of_one_is_one(way):
    way.leave(percent=25)
    assert way.held() == [0] * 4


def test_single_accounts_leave_alone(way, fleet):
    way.leave(accounts=(fleet.accounts[1].pk,))

    assert [way.held(index) for index in range(3)] == [[1, -1, -1, 1], [0] * 4, [1, -1, -1, 1]]
    assert not way.is_flat()
    way.leave()
    assert len(way.closing()) == 3
    assert way.is_flat()


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"percent": 0}, "percent"),
        ({"percent": 101}, "percent"),
        ({"limit": None}, "limit"),
        ({"limit": "0.03"}, "limit"),
        ({"pricing": Pricing.MID}, "limit"),
        ({"accounts": ()}, "accounts"),
        ({"accounts": (uuid4(),)}, "accounts"),
    ],
    ids=["none", "too much", "no limit", "off tick", "mid with limit", "nobody", "stranger"],
)
def test_bad_terms_name_their_field_and_write_nothing(way, terms, field):
    if isinstance(terms.get("limit"), str):
        terms = {**terms, "limit": Decimal(terms["limit"])}
    with pytest.raises(BadTicket) as error:
        way.open(**terms)
    assert {problem.field for problem in error.value.problems} == {field}
    assert not ComplexOrder.objects.filter(purpose="CLOSE").exists()


def test_market_on_several_legs_must_be_confirmed(way):
    with pytest.raises(GuardRefused):
        way.open(pricing=Pricing.MARKET, limit=None, confirm=frozenset())
    confirm = frozenset({"NO_MARKET_MULTILEG"})
    way.leave(pricing=Pricing.MARKET, limit=None, confirm=confirm)
    assert {order["orderType"] for order in way.closing()} == {"MARKET"}
    assert way.is_flat()


@pytest.mark.parametrize("pricing", [Pricing.MID, Pricing.NATURAL])
def test_the_market_prices_it(way, pricing):
    way.leave(pricing=pricing, limit=None)
    assert {order["orderType"] for order in way.closing()} == {"NET_DEBIT"}
    assert way.is_flat()


def test_shares_are_sold(fleet):
    way = enter(fleet, fleet.shares(10))
    way.leave(pricing=Pricing.MARKET, limit=None)
    assert [way.held(index) for index in range(3)] == [[0]] * 3
    assert way.is_flat()
