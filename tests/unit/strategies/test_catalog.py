"""Trades built from strikes and recognised from legs."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain.catalog import (
    ImpossibleTrade,
    VerticalKind,
    iron_condor,
    recognise,
    share_order,
    single_option,
    vertical,
)
from strategies.domain.reversal import reverse_effect, reverse_legs
from strategies.domain.symbols import InvalidSymbol
from strategies.domain.tickets import Instruction, Leg, PriceEffect, Strategy

BTO, STO = Instruction.BUY_TO_OPEN, Instruction.SELL_TO_OPEN
BTC, STC = Instruction.BUY_TO_CLOSE, Instruction.SELL_TO_CLOSE
CREDIT, DEBIT = PriceEffect.NET_CREDIT, PriceEffect.NET_DEBIT
DAY = date(2026, 1, 16)

P5900, P5910 = "SPXW  260116P05900000", "SPXW  260116P05910000"
C6100, C6110 = "SPXW  260116C06100000", "SPXW  260116C06110000"
SHORT_CONDOR = [(BTO, P5900), (STO, P5910), (STO, C6100), (BTO, C6110)]

STRIKES = st.integers(1, 99_999_999).map(lambda thousandths: Decimal(thousandths).scaleb(-3))
ROOTS = st.sampled_from(["SPXW", "AAPL", "F"])
EXPIRATIONS = st.dates(date(2024, 1, 1), date(2099, 12, 31))


def ladder(rungs):
    return st.lists(STRIKES, min_size=rungs, max_size=rungs, unique=True).map(sorted)


def legs_of(*pairs):
    return [Leg(symbol, instruction) for instruction, symbol in pairs]


def codes(error):
    return [(problem.field, problem.code) for problem in error.value.problems]


@given(st.sampled_from(VerticalKind), ROOTS, EXPIRATIONS, ladder(2), st.booleans(), st.randoms())
def test_a_vertical_is_recognised_from_its_legs_in_any_order(
    kind, root, expiration, strikes, closing, random
):
    lower, upper = strikes
    built = vertical(kind, root=root, expiration=expiration, lower=lower, upper=upper)
    legs = list(reverse_legs(built.legs) if closing else built.legs)
    effect = reverse_effect(built.price_effect) if closing else built.price_effect
    expected = legs[:]
    random.shuffle(legs)

    found = recognise(legs)

    assert found.legs == tuple(expected)
    assert (found.strategy, found.name) == (Strategy.VERTICAL, built.name)
    assert (found.price_effect, found.width) == (effect, upper - lower)


@given(ROOTS, EXPIRATIONS, ladder(4), st.booleans(), st.booleans(), st.booleans(), st.randoms())
def test_a_condor_is_recognised_from_its_legs_in_any_order(
    root, expiration, strikes, butterfly, short, closing, random
):
    put_wing, put_body, call_body, call_wing = strikes
    if butterfly:
        call_body = put_body
    built = iron_condor(
        root=root,
        expiration=expiration,
        put_wing=put_wing,
        put_body=put_body,
        call_body=call_body,
        call_wing=call_wing,
        short=short,
    )
    legs = list(reverse_legs(built.legs) if closing else built.legs)
    expected = legs[:]
    random.shuffle(legs)

    found = recognise(legs)

    assert found.legs == tuple(expected)
    assert found.name == ("Iron condor" if short else "Long iron condor")
    assert found.price_effect is (CREDIT if short != closing else DEBIT)
    assert found.width == max(put_body - put_wing, call_wing - call_body)


@pytest.mark.parametrize(
    ("pairs", "name", "effect"),
    [
        ([(BTO, C6100), (STO, C6110)], "Bull call", DEBIT),
        ([(STC, C6100), (BTC, C6110)], "Bull call", CREDIT),
        ([(STO, C6100), (BTO, C6110)], "Bear call", CREDIT),
        ([(BTC, C6100), (STC, C6110)], "Bear call", DEBIT),
        ([(BTO, P5900), (STO, P5910)], "Bull put", CREDIT),
        ([(STC, P5900), (BTC, P5910)], "Bull put", DEBIT),
        ([(STO, P5900), (BTO, P5910)], "Bear put", DEBIT),
        ([(BTC, P5900), (STC, P5910)], "Bear put", CREDIT),
    ],
)
def test_every_vertical_of_schwabs_table_has_its_name_and_price_effect(pairs, name, effect):
    found = recognise(legs_of(*pairs))

    assert (found.strategy, found.name, found.price_effect) == (Strategy.VERTICAL, name, effect)
    assert found.width == 10


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [
        (VerticalKind.BULL_CALL, [(BTO, C6100), (STO, C6110)]),
        (VerticalKind.BEAR_CALL, [(STO, C6100), (BTO, C6110)]),
        (VerticalKind.BULL_PUT, [(BTO, P5900), (STO, P5910)]),
        (VerticalKind.BEAR_PUT, [(STO, P5900), (BTO, P5910)]),
    ],
)
def test_verticals_are_built_leg_by_leg_as_in_schwabs_table(kind, pairs):
    lower = 5900 if "PUT" in kind else 6100

    built = vertical(
        kind, root="SPXW", expiration=DAY, lower=Decimal(lower), upper=Decimal(lower + 10)
    )

    assert list(built.legs) == legs_of(*pairs)


@pytest.mark.parametrize(
    ("short", "pairs", "effect"),
    [
        (True, SHORT_CONDOR, CREDIT),
        (False, [(STO, P5900), (BTO, P5910), (BTO, C6100), (STO, C6110)], DEBIT),
    ],
)
def test_condors_are_built_leg_by_leg_as_schwab_shows_them(short, pairs, effect):
    built = iron_condor(
        root="SPXW",
        expiration=DAY,
        put_wing=Decimal(5900),
        put_body=Decimal(5910),
        call_body=Decimal(6100),
        call_wing=Decimal(6110),
        short=short,
    )

    assert list(built.legs) == legs_of(*pairs)
    assert (built.price_effect, built.width) == (effect, Decimal(10))


@pytest.mark.parametrize(("lower", "upper"), [(6110, 6100), (6100, 6100)])
@pytest.mark.parametrize("kind", VerticalKind)
def test_a_vertical_with_strikes_out_of_order_is_not_built(kind, lower, upper):
    with pytest.raises(ImpossibleTrade, match="must be below") as error:
        vertical(kind, root="SPXW", expiration=DAY, lower=Decimal(lower), upper=Decimal(upper))

    assert codes(error) == [("legs", "strike_order")]


@pytest.mark.parametrize(
    "strikes",
    [
        (5910, 5900, 6100, 6110),
        (5900, 5910, 6110, 6100),
        (5900, 6200, 6100, 6300),
        (5900, 5900, 6100, 6110),
        (5900, 5910, 6100, 6100),
    ],
)
def test_a_condor_with_strikes_out_of_order_is_not_built(strikes):
    put_wing, put_body, call_body, call_wing = map(Decimal, strikes)

    with pytest.raises(ImpossibleTrade) as error:
        iron_condor(
            root="SPXW",
            expiration=DAY,
            put_wing=put_wing,
            put_body=put_body,
            call_body=call_body,
            call_wing=call_wing,
        )

    assert codes(error) == [("legs", "strike_order")]


def test_a_strike_that_cannot_be_written_is_not_built():
    with pytest.raises(InvalidSymbol):
        vertical(
            VerticalKind.BULL_PUT,
            root="SPXW",
            expiration=DAY,
            lower=Decimal("0.0001"),
            upper=Decimal(1),
        )


@pytest.mark.parametrize(
    "instruction",
    [Instruction.BUY, Instruction.SELL, Instruction.SELL_SHORT, Instruction.BUY_TO_COVER],
)
def test_shares_are_traded_by_four_instructions(instruction):
    built = share_order("BRK/B", instruction)

    assert (built.strategy, built.name) == (Strategy.EQUITY, "Shares")
    assert built.legs == (Leg("BRK/B", instruction),)
    assert (built.price_effect, built.width) == (None, None)


@pytest.mark.parametrize("instruction", [BTO, STO, BTC, STC])
@pytest.mark.parametrize(("symbol", "name"), [(C6100, "Call"), (P5900, "Put")])
def test_single_options_are_traded_by_four_instructions(symbol, name, instruction):
    built = single_option(symbol, instruction)

    assert (built.strategy, built.name) == (Strategy.SINGLE_OPTION, name)
    assert built.legs == (Leg(symbol, instruction),)
    assert (built.price_effect, built.width) == (None, None)


@pytest.mark.parametrize(
    ("build", "symbol", "instruction"),
    [
        (share_order, "AAPL", BTO),
        (share_order, C6100, Instruction.BUY),
        (share_order, C6100, BTO),
        (single_option, C6100, Instruction.SELL),
        (single_option, "AAPL", STC),
        (single_option, "AAPL", Instruction.BUY),
    ],
)
def test_the_builder_of_one_kind_refuses_the_other(build, symbol, instruction):
    with pytest.raises(ImpossibleTrade) as error:
        build(symbol, instruction)

    assert codes(error) == [("legs[0].instruction", "wrong_instruction")]
