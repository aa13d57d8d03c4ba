"""What a trade ties up, and which accounts cannot pay it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.lifecycle import Reason
from strategies.domain.reversal import reverse
from strategies.domain.tickets import Instruction, OrderType, PriceEffect
from tests.unit.orders.situations import PUT, codes, only, share
from tests.unit.strategies.tickets import CONDOR, MARKET, SHARES, SINGLE, VERTICAL, with_leg


@pytest.mark.parametrize(
    ("ticket", "natural", "margin_need", "cash_need"),
    [
        (CONDOR, "1.80", "1820", "1820"),  # the wider side is 20 wide
        (VERTICAL, "1.25", "875", "875"),
        (replace(VERTICAL, price_effect=PriceEffect.NET_ZERO, limit=None), "0.10", "1000", "1000"),
        (SINGLE, "-2.45", "245", "245"),
        (PUT, "2.45", "500", "4755"),
        (SHARES, "-270.15", "135.075", "270.15"),
        (replace(SHARES, order_type=MARKET, limit=None), "-300", "150", "300"),
        (
            replace(SHARES, order_type=OrderType.STOP, limit=None, stop=Decimal(280)),
            "-300",
            "140",
            "280",
        ),
    ],
)
def test_what_one_unit_ties_up_is_all_an_account_needs(ticket, natural, margin_need, cash_need):
    def is_refused(**account):
        return "BUYING_POWER" in codes(ticket, shares=[share(**account)], natural=Decimal(natural))

    cent = Decimal("0.01")
    # Half of a margin account's buying power is lent, and only shares are bought with it.
    margin, cash = 2 * Decimal(margin_need), Decimal(cash_need)
    assert not is_refused(buying_power=margin)
    assert is_refused(buying_power=margin - cent)
    assert not is_refused(buying_power=cash, is_margin=False)
    assert is_refused(buying_power=cash - cent, is_margin=False)


def test_the_accounts_that_are_short_are_named_with_what_they_need_and_have():
    shares = [share(n, 2, buying_power=Decimal(1000 * n)) for n in range(1, 9)]

    problem = only(CONDOR, shares=shares, natural=Decimal("1.80"))

    assert (problem.field, problem.code, problem.is_overridable) == (
        "accounts",
        "BUYING_POWER",
        True,
    )
    assert problem.accounts == tuple(f"Alder {n}" for n in range(1, 8))
    assert "Alder 1 needs $3,640.00 and has $500.00" in problem.message
    assert "and 4 more" in problem.message


def test_what_nobody_knows_blocks_nobody():
    call = with_leg(SINGLE, 0, instruction=Instruction.SELL_TO_OPEN)

    assert codes(CONDOR, shares=[share(buying_power=None)], natural=Decimal("1.80")) == []
    assert codes(call, shares=[share(buying_power=Decimal(0))], natural=Decimal("2.45")) == []
    market = replace(SHARES, order_type=MARKET, limit=None)
    assert codes(market, shares=[share(buying_power=Decimal(1))]) == []


def test_exits_and_accounts_that_are_left_out_need_no_buying_power():
    poor = share(buying_power=Decimal(0))
    out = replace(poor, reason_code=Reason.INACTIVE)

    assert codes(reverse(CONDOR), shares=[poor], natural=Decimal("-1.80")) == []
    assert codes(CONDOR, shares=[out, share(2)], natural=Decimal("1.80")) == []


@given(contracts=st.integers(1, 100), power=st.decimals("0", "100000", places=2))
def test_more_contracts_never_need_less(contracts, power):
    def is_refused(n):
        one = share(contracts=n, buying_power=power)
        return "BUYING_POWER" in codes(CONDOR, shares=[one], natural=Decimal("1.80"))

    assert is_refused(contracts) <= is_refused(contracts + 1)
