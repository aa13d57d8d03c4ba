"""Legs that make no trade we know."""

import pytest

from strategies.domain.catalog import ImpossibleTrade, recognise
from strategies.domain.tickets import Instruction, Leg

BTO, STO = Instruction.BUY_TO_OPEN, Instruction.SELL_TO_OPEN
STC = Instruction.SELL_TO_CLOSE

P5900, P5910 = "SPXW  260116P05900000", "SPXW  260116P05910000"
C6100, C6110 = "SPXW  260116C06100000", "SPXW  260116C06110000"
C6130 = "SPXW  260116C06130000"
SHORT_CONDOR = [(BTO, P5900), (STO, P5910), (STO, C6100), (BTO, C6110)]


def legs_of(*pairs):
    return [Leg(symbol, instruction) for instruction, symbol in pairs]


def codes(error):
    return [(problem.field, problem.code) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], [("legs", "missing")]),
        ([*SHORT_CONDOR, (BTO, C6130)], [("legs", "too_many_legs")]),
        ([(BTO, C6100), (STO, "SPX   260116C06110000")], [("legs", "mixed_roots")]),
        ([(BTO, C6100), (STO, "SPXW  260117C06110000")], [("legs", "mixed_expirations")]),
        (
            [(BTO, C6100), (STO, "SPX   260117C06110000")],
            [("legs", "mixed_roots"), ("legs", "mixed_expirations")],
        ),
        ([(BTO, C6100), (STC, C6110)], [("legs", "mixed_opening_closing")]),
        ([(BTO, C6100), (STO, C6100)], [("legs[1].symbol", "duplicate_leg")]),
        ([(Instruction.BUY, "AAPL"), (STO, C6100)], [("legs", "mixed_assets")]),
        ([(Instruction.BUY, "AAPL"), (Instruction.SELL, "MSFT")], [("legs", "unknown_shape")]),
        (
            [(Instruction.BUY, "AAPL"), (Instruction.SELL, "AAPL")],
            [("legs[1].symbol", "duplicate_leg")],
        ),
        ([(BTO, C6100), (BTO, C6110)], [("legs", "unknown_shape")]),
        ([(STO, P5900), (STO, C6110)], [("legs", "unknown_shape")]),
        ([(STO, P5900), (BTO, C6110)], [("legs", "unknown_shape")]),
        ([(BTO, C6100), (STO, C6110), (BTO, C6130)], [("legs", "unknown_shape")]),
        (
            [(BTO, C6100), (STO, C6110), (STO, C6130), (BTO, "SPXW  260116C06140000")],
            [("legs", "unknown_shape")],
        ),
        (
            [(BTO, P5900), (BTO, P5910), (STO, C6100), (STO, C6110)],
            [("legs", "unknown_shape")],
        ),
        (
            [(BTO, P5900), (BTO, P5910), (STO, C6100), (BTO, C6110)],
            [("legs", "unknown_shape")],
        ),
        (
            [(BTO, P5900), (STO, P5910), (STO, C6100), (STO, C6110)],
            [("legs", "unknown_shape")],
        ),
        (
            [(STO, P5900), (BTO, P5910), (STO, C6100), (BTO, C6110)],
            [("legs", "strike_order")],
        ),
        (
            [
                (BTO, "SPXW  260116P06200000"),
                (STO, "SPXW  260116P06210000"),
                (STO, C6100),
                (BTO, C6110),
            ],
            [("legs", "strike_order")],
        ),
        ([(Instruction.BUY, C6100)], [("legs[0].instruction", "wrong_instruction")]),
        ([(BTO, "AAPL")], [("legs[0].instruction", "wrong_instruction")]),
        ([(BTO, "AAPL251219C00200000")], [("legs[0].symbol", "invalid_symbol")]),
        ([(BTO, "aapl")], [("legs[0].symbol", "invalid_symbol")]),
        ([(Instruction.BUY, "$SPX")], [("legs[0].symbol", "invalid_symbol")]),
        ([(Instruction.BUY, "SPX")], [("legs[0].symbol", "index_not_tradable")]),
        (
            [(BTO, "SPXW260116C06100000"), (Instruction.SELL, C6110)],
            [("legs[0].symbol", "invalid_symbol"), ("legs[1].instruction", "wrong_instruction")],
        ),
    ],
)
def test_legs_that_make_no_trade_are_refused_with_every_reason(pairs, expected):
    with pytest.raises(ImpossibleTrade) as error:
        recognise(legs_of(*pairs))

    assert codes(error) == expected
    assert all(problem.message in str(error.value) for problem in error.value.problems)


def test_the_message_about_a_bad_symbol_fits_what_was_meant():
    with pytest.raises(ImpossibleTrade, match="is not an option symbol"):
        recognise([Leg("aapl", BTO)])
    with pytest.raises(ImpossibleTrade, match="is not a ticker"):
        recognise([Leg("aapl", Instruction.BUY)])
    with pytest.raises(ImpossibleTrade, match="root is not padded"):
        recognise([Leg("AAPL251219C00200000", Instruction.BUY)])


def test_legs_with_different_ratios_are_refused():
    with pytest.raises(ImpossibleTrade) as error:
        recognise([Leg(C6100, BTO), Leg(C6110, STO, ratio=2)])

    assert codes(error) == [("legs[1].ratio", "mixed_ratios")]


def test_a_ratio_that_all_legs_share_does_not_hide_the_trade():
    assert recognise([Leg(C6100, BTO, ratio=2), Leg(C6110, STO, ratio=2)]).name == "Bull call"
