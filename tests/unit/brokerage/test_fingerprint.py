"""The body we send and the order it becomes have one fingerprint; different orders differ."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.payloads import order_body
from strategies.domain.tickets import (
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Session,
    Strategy,
    Ticket,
)

CENTS = st.integers(1, 5_000_00).map(lambda cents: Decimal(cents) / 100)
OPTION = st.sampled_from(
    ["SPXW  260116P05900000", "SPXW  260116C06100000", "F     260116C00012500"]
)
OPTION_INSTRUCTION = st.sampled_from([i for i in Instruction if i.is_for_options])
SHARE_INSTRUCTION = st.sampled_from([i for i in Instruction if not i.is_for_options])


@st.composite
def tickets(draw):
    strategy = draw(st.sampled_from(Strategy))
    count = {Strategy.VERTICAL: 2, Strategy.IRON_CONDOR: 4}.get(strategy, 1)
    shares = strategy is Strategy.EQUITY
    leg = (
        st.builds(Leg, st.just("XYZ"), SHARE_INSTRUCTION)
        if shares
        else st.builds(Leg, OPTION, OPTION_INSTRUCTION, st.integers(1, 3))
    )
    types = list(OrderType) if count == 1 else [OrderType.MARKET, OrderType.LIMIT]
    return Ticket(
        strategy,
        tuple(draw(st.lists(leg, min_size=count, max_size=count))),
        draw(st.sampled_from(types)),
        draw(st.integers(1, 500)),
        limit=draw(CENTS),
        stop=draw(CENTS),
        price_effect=draw(st.sampled_from(PriceEffect)) if count > 1 else None,
        session=draw(st.sampled_from(Session)),
    )


def as_the_broker_shows_it(body):
    """Write an order object the way captures look: floats, more fields, legs in another order."""
    legs = [
        {
            "orderLegType": "OPTION",
            "legId": number,
            "instruction": leg["instruction"],
            "positionEffect": "OPENING",
            "quantity": float(leg["quantity"]),
            "instrument": {**leg["instrument"], "cusip": "0SPXW.AV56210000", "putCall": "CALL"},
        }
        for number, leg in enumerate(reversed(body["orderLegCollection"]), 1)
    ]
    prices = {name: float(body[name]) for name in ("price", "stopPrice") if name in body}
    return {
        "complexOrderStrategyType": "NONE",
        **body,
        **prices,
        "quantity": 3.0,
        "filledQuantity": 1.0,
        "orderId": 1002651112111,
        "status": "WORKING",
        "tag": "TA_x1",
        "orderLegCollection": legs,
    }


@given(tickets())
@settings(deadline=None)
def test_the_brokers_order_has_the_fingerprint_of_the_body_it_came_from(ticket):
    body = order_body(ticket)

    assert fingerprint(as_the_broker_shows_it(body)) == fingerprint(body)


BASE = Ticket(
    Strategy.VERTICAL,
    (
        Leg("SPXW  260116P05900000", Instruction.BUY_TO_OPEN),
        Leg("SPXW  260116P05910000", Instruction.SELL_TO_OPEN),
    ),
    OrderType.LIMIT,
    contracts=2,
    limit=Decimal("1.25"),
    price_effect=PriceEffect.NET_CREDIT,
)


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, limit=Decimal("1.26")),
        replace(BASE, contracts=3),
        replace(BASE, price_effect=PriceEffect.NET_DEBIT),
        replace(BASE, order_type=OrderType.MARKET),
        replace(BASE, session=Session.AM),
        replace(BASE, legs=(BASE.legs[0], replace(BASE.legs[1], symbol="SPXW  260116P05920000"))),
        replace(
            BASE,
            legs=(BASE.legs[0], replace(BASE.legs[1], instruction=Instruction.SELL_TO_CLOSE)),
        ),
    ],
)
def test_orders_that_differ_have_different_fingerprints(other):
    assert fingerprint(order_body(other)) != fingerprint(order_body(BASE))


def test_swapped_instructions_are_another_order():
    swapped = (
        replace(BASE.legs[0], instruction=BASE.legs[1].instruction),
        replace(BASE.legs[1], instruction=BASE.legs[0].instruction),
    )

    assert fingerprint(order_body(replace(BASE, legs=swapped))) != fingerprint(order_body(BASE))


def test_the_execution_price_of_a_market_order_does_not_count():
    body = order_body(replace(BASE, order_type=OrderType.MARKET))

    assert fingerprint({**body, "price": 1.31}) == fingerprint(body)


def test_an_order_that_triggers_others_is_not_ours():
    body = order_body(BASE)

    assert fingerprint({**body, "orderStrategyType": "TRIGGER"}) != fingerprint(body)


def test_an_order_without_legs_has_a_fingerprint_of_its_own():
    assert fingerprint({"orderStrategyType": "OCO", "orderId": 1}) != fingerprint(order_body(BASE))
