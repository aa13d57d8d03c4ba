"""A saved order: what is written is read back, what is no order is refused in words."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.saved import Unreadable, read_ticket, write_accounts, write_ticket
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

prices = st.none() | st.integers(1, 10**8).map(lambda cents: Decimal(cents) / 100)
tickets = st.builds(
    Ticket,
    strategy=st.sampled_from(Strategy),
    legs=st.lists(
        st.builds(Leg, st.text(max_size=21), st.sampled_from(Instruction), st.integers(1, 9)),
        max_size=4,
    ).map(tuple),
    order_type=st.sampled_from(OrderType),
    contracts=st.integers(1, 100_000),
    limit=prices,
    stop=prices,
    price_effect=st.none() | st.sampled_from(PriceEffect),
    duration=st.sampled_from(Duration),
    session=st.sampled_from(Session),
)


@given(tickets)
def test_what_is_written_is_read_back(ticket):
    assert read_ticket(write_ticket(ticket)) == ticket


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"strategy": "BUTTERFLY"},
        {"strategy": "EQUITY", "legs": None},
        {"strategy": "EQUITY", "legs": [], "order_type": "LIMIT", "contracts": "many"},
        {"strategy": "EQUITY", "legs": [], "order_type": "LIMIT", "contracts": 1, "limit": "x"},
    ],
)
def test_what_is_no_order_is_refused_in_words(body):
    with pytest.raises(Unreadable, match="cannot be read"):
        read_ticket(body)


def test_accounts_are_written_as_the_api_takes_them():
    one = UUID(int=1)

    assert write_accounts(None, None, ()) == "active"
    assert write_accounts((one,), None, ()) == {"ids": [str(one)]}
    assert write_accounts(None, "Family", ()) == {"group": "Family"}
    assert write_accounts(None, None, (one,)) == {"except": [str(one)]}
