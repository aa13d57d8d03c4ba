"""Reversed trades."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain.reversal import reverse, reverse_effect, reverse_instruction, reverse_legs
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

LEGS = st.builds(
    Leg,
    symbol=st.sampled_from(["AAPL", "SPXW  251205C07200000", "SPXW  251205P07000000"]),
    instruction=st.sampled_from(Instruction),
    ratio=st.integers(1, 3),
)
PRICES = st.none() | st.decimals("0.01", "1000", places=2)
TICKETS = st.builds(
    Ticket,
    strategy=st.sampled_from(Strategy),
    legs=st.lists(LEGS, max_size=4).map(tuple),
    order_type=st.sampled_from(OrderType),
    contracts=st.integers(1, 1000),
    limit=PRICES,
    stop=PRICES,
    price_effect=st.none() | st.sampled_from(PriceEffect),
    duration=st.sampled_from(Duration),
    session=st.sampled_from(Session),
)


@given(TICKETS)
def test_reversing_twice_gives_the_original(ticket):
    assert reverse(reverse(ticket)) == ticket


@given(TICKETS)
def test_reversing_swaps_opening_and_closing_but_leaves_symbols_and_size(ticket):
    turned = reverse(ticket)

    for before, after in zip(ticket.legs, turned.legs, strict=True):
        assert before.instruction.opens != after.instruction.opens
        assert before.instruction.is_buy != after.instruction.is_buy
        assert before.instruction.is_for_options == after.instruction.is_for_options
        assert (before.symbol, before.ratio) == (after.symbol, after.ratio)
    assert (turned.contracts, turned.limit) == (ticket.contracts, ticket.limit)


@pytest.mark.parametrize(
    ("instruction", "reversed_"),
    [
        (Instruction.BUY, Instruction.SELL),
        (Instruction.SELL_SHORT, Instruction.BUY_TO_COVER),
        (Instruction.BUY_TO_OPEN, Instruction.SELL_TO_CLOSE),
        (Instruction.SELL_TO_OPEN, Instruction.BUY_TO_CLOSE),
    ],
)
def test_every_instruction_is_taken_back_by_its_partner(instruction, reversed_):
    assert reverse_instruction(instruction) is reversed_
    assert reverse_instruction(reversed_) is instruction


@pytest.mark.parametrize(
    ("effect", "reversed_"),
    [
        (PriceEffect.NET_CREDIT, PriceEffect.NET_DEBIT),
        (PriceEffect.NET_DEBIT, PriceEffect.NET_CREDIT),
        (PriceEffect.NET_ZERO, PriceEffect.NET_ZERO),
        (None, None),
    ],
)
def test_a_credit_becomes_a_debit_and_nothing_stays_nothing(effect, reversed_):
    assert reverse_effect(effect) is reversed_


def test_the_legs_of_a_bull_put_close_as_schwab_expects():
    opening = [
        Leg("SPXW  260116P05900000", Instruction.BUY_TO_OPEN),
        Leg("SPXW  260116P05910000", Instruction.SELL_TO_OPEN),
    ]

    assert reverse_legs(opening) == (
        Leg("SPXW  260116P05900000", Instruction.SELL_TO_CLOSE),
        Leg("SPXW  260116P05910000", Instruction.BUY_TO_CLOSE),
    )


def test_a_reversed_ticket_keeps_its_terms():
    ticket = Ticket(
        Strategy.VERTICAL,
        (
            Leg("SPXW  260116P05900000", Instruction.BUY_TO_OPEN),
            Leg("SPXW  260116P05910000", Instruction.SELL_TO_OPEN),
        ),
        OrderType.LIMIT,
        3,
        limit=Decimal("1.25"),
        price_effect=PriceEffect.NET_CREDIT,
        duration=Duration.GOOD_TILL_CANCEL,
    )

    turned = reverse(ticket)

    assert turned.price_effect is PriceEffect.NET_DEBIT
    assert (turned.limit, turned.duration) == (Decimal("1.25"), Duration.GOOD_TILL_CANCEL)
