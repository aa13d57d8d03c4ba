"""Everything that makes a ticket impossible."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain.checks import find_problems
from strategies.domain.reversal import reverse
from strategies.domain.tickets import (
    Duration,
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Session,
    Strategy,
    Ticket,
)
from tests.unit.strategies.tickets import (
    ALL,
    BTO,
    CONDOR,
    CREDIT,
    DEBIT,
    EVEN,
    MARKET,
    SHARES,
    SINGLE,
    TODAY,
    VERTICAL,
    codes,
    with_leg,
)


@pytest.mark.parametrize("ticket", ALL)
@pytest.mark.parametrize("turn", [lambda ticket: ticket, reverse])
@pytest.mark.parametrize("duration", Duration)
def test_good_tickets_have_no_problem_with_any_duration(ticket, turn, duration):
    assert codes(turn(replace(ticket, duration=duration))) == []


@pytest.mark.parametrize("ticket", ALL)
def test_market_orders_need_no_price_and_no_effect(ticket):
    market = replace(ticket, order_type=MARKET, limit=None)

    assert codes(market) == []
    assert codes(replace(market, price_effect=None)) == []


@pytest.mark.parametrize("ticket", [SHARES, SINGLE])
def test_one_leg_can_have_a_stop(ticket):
    stop = replace(ticket, order_type=OrderType.STOP, limit=None, stop=Decimal("2.40"))

    assert codes(stop) == []
    assert codes(replace(stop, order_type=OrderType.STOP_LIMIT, limit=Decimal("2.40"))) == []


@pytest.mark.parametrize("session", [Session.AM, Session.PM, Session.SEAMLESS])
def test_shares_trade_in_every_session_with_a_limit(session):
    assert codes(replace(SHARES, session=session)) == []


@pytest.mark.parametrize("limit", [None, Decimal(0), Decimal("0.00")])
def test_an_even_trade_has_no_net_price(limit):
    assert codes(replace(VERTICAL, price_effect=EVEN, limit=limit)) == []


@pytest.mark.parametrize("contracts", [1, 100_000])
@pytest.mark.parametrize("ticket", ALL)
def test_the_smallest_and_the_largest_size_are_possible(ticket, contracts):
    assert codes(replace(ticket, contracts=contracts)) == []


@pytest.mark.parametrize("contracts", [0, -1, 100_001, 10**30])
@pytest.mark.parametrize("ticket", ALL)
def test_other_sizes_are_impossible(ticket, contracts):
    assert codes(replace(ticket, contracts=contracts)) == [("contracts", "out_of_range")]


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("ticket", ALL)
def test_the_strategy_must_be_what_the_legs_make(ticket, strategy):
    expected = [] if strategy is ticket.strategy else [("strategy", "strategy_mismatch")]

    assert codes(replace(ticket, strategy=strategy)) == expected


@pytest.mark.parametrize("ratio", [2, 0, -1])
def test_every_ratio_is_one(ratio):
    assert codes(with_leg(SINGLE, 0, ratio=ratio)) == [("legs[0].ratio", "not_one")]
    assert codes(with_leg(VERTICAL, 1, ratio=ratio)) == [("legs[1].ratio", "mixed_ratios")]
    both = with_leg(with_leg(VERTICAL, 1, ratio=ratio), 0, ratio=ratio)
    assert codes(both) == [("legs[0].ratio", "not_one"), ("legs[1].ratio", "not_one")]


@pytest.mark.parametrize(
    ("ticket", "expected"),
    [
        (replace(VERTICAL, price_effect=None), [("price_effect", "missing")]),
        (replace(VERTICAL, price_effect=DEBIT), [("price_effect", "contradicts_legs")]),
        (
            replace(VERTICAL, price_effect=DEBIT, order_type=MARKET, limit=None),
            [("price_effect", "contradicts_legs")],
        ),
        (
            replace(VERTICAL, price_effect=EVEN, order_type=MARKET, limit=None),
            [("price_effect", "not_allowed")],
        ),
        (replace(reverse(CONDOR), price_effect=CREDIT), [("price_effect", "contradicts_legs")]),
        (replace(VERTICAL, price_effect=EVEN), [("limit", "not_zero")]),
        (replace(VERTICAL, price_effect=EVEN, limit=Decimal("NaN")), [("limit", "not_zero")]),
        (replace(SINGLE, price_effect=DEBIT), [("price_effect", "not_allowed")]),
        (replace(SHARES, price_effect=EVEN), [("price_effect", "not_allowed")]),
    ],
)
def test_the_price_effect_must_suit_the_legs_and_the_order_type(ticket, expected):
    assert codes(ticket) == expected


@pytest.mark.parametrize("session", [Session.AM, Session.PM, Session.SEAMLESS])
def test_other_sessions_take_neither_options_nor_market_orders(session):
    for ticket in (SINGLE, VERTICAL, CONDOR, replace(SHARES, order_type=MARKET, limit=None)):
        assert codes(replace(ticket, session=session)) == [("session", "not_allowed")]


def test_the_session_of_an_option_is_judged_whatever_is_done_with_it():
    ticket = replace(with_leg(SINGLE, 0, instruction=Instruction.BUY), session=Session.PM)

    assert codes(ticket) == [
        ("legs[0].instruction", "wrong_instruction"),
        ("session", "not_allowed"),
    ]


def test_expired_options_cannot_be_opened_but_closed():
    after = date(2026, 1, 17)

    assert codes(CONDOR, today=after) == [("legs[0].symbol", "EXPIRED")]
    assert codes(reverse(CONDOR), today=after) == []
    assert codes(CONDOR, today=date(2026, 1, 16)) == []


def test_adjusted_options_cannot_be_opened_but_closed():
    ticket = with_leg(SINGLE, 0, symbol="XYZ1  260116C00050000")

    assert codes(ticket) == [("legs[0].symbol", "nonstandard")]
    assert codes(reverse(ticket)) == []


def test_a_bad_symbol_is_reported_at_its_leg_and_hides_no_independent_problem():
    ticket = with_leg(CONDOR, 2, symbol="SPXW260116C06100000")
    ticket = replace(ticket, contracts=0, limit=Decimal(-1), session=Session.PM)

    assert codes(ticket) == [
        ("legs[2].symbol", "invalid_symbol"),
        ("limit", "not_positive"),
        ("contracts", "out_of_range"),
        ("session", "not_allowed"),
    ]


def test_wrong_legs_bring_no_complaints_about_effect_tick_or_width():
    ticket = with_leg(VERTICAL, 1, instruction=BTO)

    assert codes(replace(ticket, limit=Decimal("77.77"), price_effect=DEBIT)) == [
        ("legs", "unknown_shape")
    ]


def test_instructions_must_suit_the_symbol():
    assert codes(with_leg(SHARES, 0, instruction=BTO)) == [
        ("legs[0].instruction", "wrong_instruction")
    ]
    assert codes(with_leg(VERTICAL, 1, instruction=Instruction.SELL)) == [
        ("legs[1].instruction", "wrong_instruction")
    ]


def test_a_ticket_without_legs_is_reported_once():
    assert codes(replace(SHARES, legs=())) == [("legs", "missing")]


def test_every_message_is_a_sentence_or_more():
    ticket = replace(SHARES, contracts=0, limit=None, stop=Decimal(1), session=Session.AM)
    problems = find_problems(replace(ticket, strategy=Strategy.VERTICAL), today=TODAY)

    assert len(problems) == 4
    for problem in problems:
        assert problem.message[0].isupper()
        assert problem.message.endswith(".")


SYMBOLS = st.sampled_from(
    [leg.symbol for ticket in ALL for leg in ticket.legs]
    + ["", "aapl", "SPX", "SPXW260116C06100000", "SPXW  261316C06100000", "\ud800"]
) | st.text(max_size=22)
PRICES = st.none() | st.decimals(allow_nan=True, allow_infinity=True)
TICKETS = st.builds(
    Ticket,
    strategy=st.sampled_from(Strategy),
    legs=st.lists(
        st.builds(Leg, SYMBOLS, st.sampled_from(Instruction), st.integers(-1, 2)), max_size=5
    ).map(tuple)
    | st.sampled_from([ticket.legs for ticket in ALL]),
    order_type=st.sampled_from(OrderType),
    contracts=st.integers(),
    limit=PRICES,
    stop=PRICES,
    price_effect=st.none() | st.sampled_from(PriceEffect),
    duration=st.sampled_from(Duration),
    session=st.sampled_from(Session),
)


@given(TICKETS)
def test_no_content_makes_the_check_raise_or_repeat_itself(ticket):
    problems = find_problems(ticket, today=TODAY)

    assert len(set(problems)) == len(problems)
