"""What closing a position brings against its entry."""

from decimal import Decimal

import pytest

from orders.domain.gains import entered_the_other_way, gain
from strategies.domain.tickets import Instruction, Leg, PriceEffect

CALL = "SPXW  261211C06920000"
PUT = "SPXW  261211P06900000"


@pytest.mark.parametrize(
    ("instruction", "symbol", "effect", "entry", "price", "brings"),
    [
        (Instruction.BUY_TO_CLOSE, CALL, PriceEffect.NET_DEBIT, "1.85", "0.60", "125"),
        (Instruction.BUY_TO_CLOSE, CALL, PriceEffect.NET_DEBIT, "1.85", "2.10", "-25"),
        (Instruction.SELL_TO_CLOSE, CALL, PriceEffect.NET_CREDIT, "2.22", "3.00", "78"),
        (Instruction.SELL_TO_CLOSE, PUT, None, "2.00", "1.50", "-50"),
        (Instruction.BUY_TO_CLOSE, PUT, None, "2.00", "1.50", "50"),
        (Instruction.SELL, "AAPL", None, "190.00", "191.50", "1.50"),
        (Instruction.BUY_TO_COVER, "AAPL", None, "190.00", "191.50", "-1.50"),
    ],
)
def test_a_unit_brings_the_difference_the_right_way_round(
    instruction, symbol, effect, entry, price, brings
):
    legs = [Leg(symbol, instruction)]

    assert gain(Decimal(entry), Decimal(price), legs, effect) == Decimal(brings)


@pytest.mark.parametrize(
    ("entry", "leaving", "is_so"),
    [
        ("NET_CREDIT", PriceEffect.NET_DEBIT, True),
        ("NET_DEBIT", PriceEffect.NET_CREDIT, True),
        (None, None, True),
        ("NET_CREDIT", PriceEffect.NET_CREDIT, False),
        ("NET_CREDIT", None, False),
    ],
)
def test_nothing_is_said_of_a_set_whose_price_flows_the_same_way_again(entry, leaving, is_so):
    assert entered_the_other_way(entry, leaving) is is_so
