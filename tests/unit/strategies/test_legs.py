"""Questions about legs."""

from decimal import Decimal

import pytest

from strategies.domain import legs as about
from strategies.domain.tickets import Instruction, Leg, OrderType, Strategy, Ticket

OPTION = "SPXW  251205C07200000"
OPENERS = {
    Instruction.BUY,
    Instruction.SELL_SHORT,
    Instruction.BUY_TO_OPEN,
    Instruction.SELL_TO_OPEN,
}


@pytest.mark.parametrize(
    ("symbol", "instruction", "words"),
    [
        (OPTION, Instruction.BUY_TO_OPEN, "BTO SPXW 12/05/2025 7200.00 C"),
        (OPTION, Instruction.SELL_TO_OPEN, "STO SPXW 12/05/2025 7200.00 C"),
        (OPTION, Instruction.BUY_TO_CLOSE, "BTC SPXW 12/05/2025 7200.00 C"),
        (OPTION, Instruction.SELL_TO_CLOSE, "STC SPXW 12/05/2025 7200.00 C"),
        ("AAPL", Instruction.BUY, "BUY AAPL"),
        ("AAPL", Instruction.SELL, "SELL AAPL"),
        ("AAPL", Instruction.SELL_SHORT, "SHORT AAPL"),
        ("AAPL", Instruction.BUY_TO_COVER, "COVER AAPL"),
    ],
)
def test_legs_are_described_as_agents_write_them(symbol, instruction, words):
    assert about.describe(Leg(symbol, instruction)) == words


def test_a_legs_quantity_is_the_contracts_times_its_ratio():
    ticket = Ticket(
        Strategy.VERTICAL,
        (Leg(OPTION, Instruction.BUY_TO_OPEN), Leg("AAPL", Instruction.SELL, ratio=100)),
        OrderType.LIMIT,
        3,
        limit=Decimal(1),
    )

    assert about.quantities(ticket) == (3, 300)


@pytest.mark.parametrize("instruction", Instruction)
def test_a_leg_either_opens_or_closes(instruction):
    legs = [Leg("X", instruction)]

    assert about.is_opening(legs) is (instruction in OPENERS)
    assert about.is_closing(legs) is (instruction not in OPENERS)


@pytest.mark.parametrize(
    "legs",
    [
        [],
        [Leg(OPTION, Instruction.BUY_TO_OPEN), Leg(OPTION, Instruction.SELL_TO_CLOSE)],
    ],
)
def test_no_legs_and_mixed_legs_neither_open_nor_close(legs):
    assert not about.is_opening(legs)
    assert not about.is_closing(legs)


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        (Instruction.BUY_TO_OPEN, True),
        (Instruction.SELL_TO_CLOSE, True),
        (Instruction.SELL_TO_OPEN, False),
        (Instruction.BUY_TO_CLOSE, False),
        (Instruction.SELL, True),
        (Instruction.BUY_TO_COVER, False),
    ],
)
def test_a_leg_is_about_a_long_or_a_short_position(instruction, expected):
    assert about.is_long(Leg("X", instruction)) is expected


def test_the_asset_type_follows_from_the_symbol():
    assert about.asset_type(OPTION) == "OPTION"
    assert about.asset_type("BRK/B") == "EQUITY"
