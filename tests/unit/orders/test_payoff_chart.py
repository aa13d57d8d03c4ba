"""The payoff plot: light, inside its frame, and read out as a sentence."""

import re
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.templatetags.charts import HEIGHT, WIDTH
from orders.templatetags.charts import payoff as draw
from strategies.domain.catalog import iron_condor, single_option
from strategies.domain.payoff import payoff
from strategies.domain.symbols import PutCall, format_option
from strategies.domain.tickets import Instruction, Leg

DAY = date(2030, 1, 18)


def condor(*strikes):
    put_wing, put_body, call_body, call_wing = map(Decimal, strikes)
    structure = iron_condor(
        root="XYZ",
        expiration=DAY,
        put_wing=put_wing,
        put_body=put_body,
        call_body=call_body,
        call_wing=call_wing,
    )
    return structure.legs


def option(side, instruction):
    symbol = format_option(root="XYZ", expiration=DAY, put_call=side, strike=Decimal(100))
    return single_option(symbol, instruction).legs


def test_the_plot_is_read_out_as_a_sentence():
    found = payoff(condor(90, 95, 105, 110), Decimal("1.50"), contracts=2)

    drawn = draw(found, Decimal("101.25"))

    assert 'role="img"' in drawn
    assert (
        'aria-label="At expiration: gains at most $300.00, loses at most $700.00, '
        'breaks even at 93.50 and 106.50, the underlying is at 101.25."' in drawn
    )


def test_it_weighs_about_a_kilobyte_and_a_half_and_has_no_style():
    drawn = draw(payoff(condor(6290, 6295, 6620, 6625), Decimal("1.40")), Decimal(6460))

    assert len(drawn) < 1_800
    assert "style=" not in drawn


def test_labels_of_strikes_that_are_close_stand_below_each_other():
    drawn = draw(payoff(condor(6290, 6295, 6620, 6625), Decimal("1.40")), Decimal(6460))

    rows = dict(re.findall(r'y="([\d.]+)" text-anchor="middle">(\d+)<', drawn))
    assert len(rows) == 2


def test_gains_and_losses_are_areas_with_a_dot_between_them():
    drawn = draw(payoff(condor(90, 95, 105, 110), Decimal("1.50")))

    assert (drawn.count('class="gain"'), drawn.count('class="loss"')) == (1, 2)
    assert drawn.count('class="even"') == 2
    assert 'class="now"' not in drawn


def test_what_has_no_end_is_said_so():
    drawn = draw(payoff(option(PutCall.CALL, Instruction.SELL_TO_OPEN), Decimal(2)))

    assert "loses without end" in drawn


@given(
    st.sampled_from(["CONDOR", "CALL", "PUT", "SHARES"]),
    st.integers(1, 2_000),
    st.one_of(st.none(), st.integers(1, 400)),
)
def test_everything_lies_inside_the_frame(kind, cents, price):
    legs = {
        "CONDOR": condor(90, 95, 105, 110),
        "CALL": option(PutCall.CALL, Instruction.BUY_TO_OPEN),
        "PUT": option(PutCall.PUT, Instruction.SELL_TO_OPEN),
        "SHARES": (Leg("XYZ", Instruction.BUY),),
    }[kind]
    cash = Decimal(cents) / 100 * (-1 if kind in {"CALL", "SHARES"} else 1)

    drawn = draw(payoff(legs, cash), None if price is None else Decimal(price))

    for corners in re.findall(r'points="([^"]*)"', drawn):
        for x, y in (map(float, corner.split(",")) for corner in corners.split()):
            assert -0.1 <= x <= WIDTH
            assert -0.1 <= y <= HEIGHT
