"""The pre-trade guards as rules: what each objects to, with which numbers, and who may override."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.limits import limits_of
from orders.domain.guards import (
    OVERRIDABLE,
    Guard,
    duplicates,
    most_per_account,
    settle,
)
from orders.domain.lifecycle import Purpose, Reason
from strategies.domain.reversal import reverse
from strategies.domain.tickets import OrderType, PriceEffect, Problem
from tests.unit.orders.situations import LIMITS, PUT, codes, only, share
from tests.unit.strategies.tickets import CONDOR, MARKET, SHARES, SINGLE

prices = st.decimals("0.05", "500", places=2)


# --- price ----------------------------------------------------------------------------------------


def test_a_credit_far_below_the_natural_price_is_told_with_all_its_numbers():
    problem = only(replace(CONDOR, limit=Decimal("0.05")), natural=Decimal("1.20"))

    assert (problem.field, problem.code) == ("limit", "PRICE_AWAY")
    assert problem.is_overridable
    for words in ("0.05 credit", "1.15 worse", "natural price 1.20 credit", "0.50 is allowed"):
        assert words in problem.message


def test_a_debit_far_above_the_natural_price_is_refused_when_closing_too():
    close = replace(reverse(CONDOR), limit=Decimal("3.00"))

    assert codes(close, natural=Decimal("-2.20")) == ["PRICE_AWAY"]
    assert codes(close, natural=Decimal("-2.50")) == []


@pytest.mark.parametrize(
    ("limit", "natural", "is_refused"),
    [
        ("0.70", "1.20", False),
        ("0.69", "1.20", True),
        ("3.00", "4.00", False),
        ("2.99", "4.00", True),
        ("9.00", "4.00", False),
        ("0.05", "-0.30", False),
    ],
)
def test_half_a_dollar_or_a_quarter_of_the_price_is_allowed_and_better_always(
    limit, natural, is_refused
):
    found = codes(replace(CONDOR, limit=Decimal(limit)), natural=Decimal(natural))

    assert found == (["PRICE_AWAY"] if is_refused else [])


def test_buying_shares_at_ten_times_their_price_is_refused():
    assert codes(replace(SHARES, limit=Decimal("2701.50")), natural=Decimal("-270.15")) == [
        "PRICE_AWAY"
    ]


def test_an_even_trade_is_measured_as_a_price_of_zero():
    even = replace(CONDOR, price_effect=PriceEffect.NET_ZERO, limit=None)

    assert codes(even, natural=Decimal("1.20")) == ["PRICE_AWAY"]
    assert codes(even, natural=Decimal("0.40")) == []


def test_without_a_quote_nothing_is_taken_for_granted():
    problem = only(CONDOR)

    assert (problem.code, problem.is_overridable) == ("PRICE_AWAY", True)
    assert "no quote" in problem.message


@pytest.mark.parametrize(
    "changes",
    [
        {"order_type": MARKET, "limit": None},
        {"order_type": OrderType.STOP, "limit": None, "stop": Decimal(300)},
        {"order_type": OrderType.STOP_LIMIT, "limit": Decimal(301), "stop": Decimal(300)},
    ],
)
def test_orders_whose_price_the_market_makes_need_no_quote(changes):
    assert codes(replace(SHARES, **changes)) == []


def test_a_stop_limit_is_measured_by_its_stop():
    ticket = replace(
        PUT, order_type=OrderType.STOP_LIMIT, stop=Decimal("2.00"), limit=Decimal("1.00")
    )

    assert "than the stop 2.00" in only(ticket).message
    assert codes(replace(ticket, limit=Decimal("1.50"))) == []


@given(limit=prices, natural=prices, room=st.decimals("0", "5", places=2))
def test_a_limit_no_worse_than_the_market_is_never_refused(limit, natural, room):
    limits = limits_of([("PRICE_AWAY_USD", room), ("PRICE_AWAY_PERCENT", Decimal(0))])
    sale = replace(PUT, limit=limit)

    is_refused = codes(sale, natural=natural, limits=limits) == ["PRICE_AWAY"]

    assert is_refused == (natural - limit > room)


# --- size -----------------------------------------------------------------------------------------


def test_a_ticket_with_too_many_contracts_names_both_numbers():
    problem = only(replace(CONDOR, contracts=501), natural=Decimal("1.80"))

    assert (problem.field, problem.code) == ("contracts", "MAX_CONTRACTS")
    assert not problem.is_overridable
    assert "501 contracts" in problem.message
    assert "more than 500" in problem.message
    assert "MAX_CONTRACTS_PER_ORDER" in problem.message


def test_a_broadcast_counts_what_is_sent_over_all_accounts():
    shares = [share(number, 112) for number in range(45)]
    left_out = share(99, 112, reason_code=Reason.INACTIVE)

    problem = only(CONDOR, shares=shares, natural=Decimal("1.80"))

    assert "5,040 contracts over all 45 accounts" in problem.message
    assert codes(CONDOR, shares=[*shares[:44], left_out], natural=Decimal("1.80")) == []


def test_shares_have_limits_of_their_own():
    many = replace(SHARES, contracts=10_000)

    assert codes(many, natural=Decimal("-270.15")) == []
    assert (
        "10,001 shares" in only(replace(many, contracts=10_001), natural=Decimal("-270.15")).message
    )


def test_when_every_account_is_over_its_limit_the_click_is_refused():
    over = [share(n, 600, reason_code=Reason.MAX_CONTRACTS, reason="over") for n in (1, 2)]

    problem = only(replace(CONDOR, contracts=300), shares=over, natural=Decimal("1.80"))

    assert problem.code == "MAX_CONTRACTS"
    assert problem.accounts == ("Alder 1", "Alder 2")
    assert codes(CONDOR, shares=[*over, share(3)], natural=Decimal("1.80")) == []


def test_exits_pass_the_size_guards_and_have_no_limit_per_account():
    exit_ = replace(reverse(CONDOR), contracts=90_000)

    assert codes(exit_, shares=[share(contracts=90_000)], natural=Decimal("-1.80")) == []
    assert most_per_account(exit_, Purpose.CLOSE, LIMITS) is None
    assert most_per_account(CONDOR, Purpose.OPEN, LIMITS) == 500
    assert most_per_account(SHARES, Purpose.OPEN, LIMITS) == 10_000


# --- order type, mode -----------------------------------------------------------------------------


def test_a_market_order_with_legs_is_never_sent_silently():
    problem = only(replace(CONDOR, order_type=MARKET, limit=None))

    assert (problem.field, problem.code) == ("order_type", "NO_MARKET_MULTILEG")
    assert problem.is_overridable
    assert codes(replace(SINGLE, order_type=MARKET, limit=None)) == []


def test_a_mode_that_stops_everybody_refuses_the_click_with_its_words():
    frozen = share(1, reason_code=Reason.FROZEN, reason="The fleet is frozen: audit.")
    inactive = share(2, reason_code=Reason.INACTIVE, reason="The account is switched off.")

    problem = only(shares=[frozen, inactive], natural=Decimal("1.80"))

    assert (problem.field, problem.code, problem.accounts) == ("accounts", "MODE", ("Alder 1",))
    assert "The fleet is frozen: audit." in problem.message
    assert not problem.is_overridable
    assert codes(shares=[frozen, share(3)], natural=Decimal("1.80")) == []
    assert codes(shares=[inactive], natural=Decimal("1.80")) == []


# --- duplicates, overriding -----------------------------------------------------------------------


def test_a_duplicate_names_accounts_age_and_window():
    (problem,) = duplicates([("Alder", 12.4), ("Birch", 3.6)], 60)

    assert (problem.field, problem.code) == ("accounts", "DUPLICATE_ORDER")
    assert "4 s ago in Alder, Birch" in problem.message
    assert "60 s" in problem.message
    assert list(duplicates([], 60)) == []


@given(confirmed=st.sets(st.sampled_from(Guard)), found=st.sets(st.sampled_from(Guard)))
def test_confirming_overrides_what_may_be_overridden_and_nothing_else(confirmed, found):
    problems = [Problem("f", guard, "Words.", guard in OVERRIDABLE) for guard in sorted(found)]

    refused, overridden = settle(problems, {guard.value for guard in confirmed})

    assert {one.code for one in overridden} == found & confirmed & OVERRIDABLE
    assert {one.code for one in refused} == found - (confirmed & OVERRIDABLE)
    for one in refused:
        assert ("does not help" in one.message) == (one.code in confirmed)
