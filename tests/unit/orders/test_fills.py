from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.fills import LegTotal, net_price, shows


def leg(side, price, *, quantity=1, filled=None):
    """A leg filled at one price, wholly unless told."""
    done = Decimal(quantity if filled is None else filled)
    return LegTotal(side == "BUY", quantity, done, done * Decimal(price))


def test_the_net_price_of_shares_is_their_price():
    assert net_price([leg("BUY", "210.53", quantity=10)], contracts=10) == Decimal("210.53")
    assert net_price([leg("SELL", "210.53", quantity=10)], contracts=10) == Decimal("210.53")


def test_the_net_price_of_a_vertical_is_the_difference_of_its_legs():
    legs = [leg("BUY", "0.29"), leg("SELL", "0.46")]

    assert net_price(legs, contracts=1) == Decimal("0.17")


def test_the_net_price_of_a_condor_is_per_unit_and_positive():
    legs = [
        leg("BUY", "3.10", quantity=2),
        leg("SELL", "4.35", quantity=2),
        leg("SELL", "5.05", quantity=2),
        leg("BUY", "3.90", quantity=2),
    ]

    assert net_price(legs, contracts=2) == Decimal("2.40")


def test_a_debit_is_positive_too():
    assert net_price([leg("BUY", "4"), leg("SELL", "1.5")], contracts=1) == Decimal("2.5")


def test_a_leg_of_two_counts_twice():
    legs = [leg("SELL", "3", quantity=1), leg("BUY", "1", quantity=2)]

    assert net_price(legs, contracts=1) == Decimal(1)


def test_several_fills_of_a_leg_average_out():
    one = LegTotal(True, 3, Decimal(3), Decimal("1.00") + 2 * Decimal("1.10"))

    assert one.average_price == Decimal("1.0667")
    assert net_price([one], contracts=3) == Decimal("1.0667")


def test_there_is_no_net_price_while_a_leg_has_no_fill():
    assert net_price([leg("BUY", "1"), leg("SELL", "2", filled=0)], contracts=1) is None
    assert leg("SELL", "2", filled=0).average_price is None


@pytest.mark.parametrize(("filled", "is_done"), [(0, False), (1, False), (2, True)])
def test_a_strategy_is_filled_only_with_its_last_leg(filled, is_done):
    legs = [leg("BUY", "1", quantity=2), leg("SELL", "1", quantity=2, filled=filled)]

    assert shows(legs, units=Decimal(2), contracts=2) == is_done


prices = st.decimals(min_value="0.01", max_value="500", places=2)
fills = st.lists(st.tuples(st.integers(1, 50), prices), min_size=1, max_size=10)


@given(fills, st.integers(1, 100))
def test_an_average_lies_between_the_best_and_the_worst_price(executions, more):
    filled = Decimal(sum(quantity for quantity, _ in executions))
    cost = sum((quantity * price for quantity, price in executions), Decimal(0))
    total = LegTotal(True, int(filled) + more, filled, cost)

    assert total.average_price is not None
    assert min(p for _, p in executions) - Decimal("0.0001") <= total.average_price
    assert total.average_price <= max(p for _, p in executions) + Decimal("0.0001")
    assert not shows([total], units=Decimal(total.quantity), contracts=total.quantity)


@given(prices, prices, prices, prices, st.integers(1, 500))
def test_the_net_price_does_not_depend_on_how_many_are_traded(a, b, c, d, contracts):
    def condor(quantity):
        sides = [("BUY", a), ("SELL", b), ("SELL", c), ("BUY", d)]
        return [leg(side, price, quantity=quantity) for side, price in sides]

    net = net_price(condor(contracts), contracts=contracts)

    assert net == net_price(condor(1), contracts=1) == abs(b + c - a - d)
