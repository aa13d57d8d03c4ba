"""Legs that make no trade are refused with their field, and leave no row."""

from datetime import date

import pytest

from tests.api.caller import (
    condor,
    far_off,
    leg,
    option,
    put,
    shares,
    spread,
    with_leg,
)

PAST = date(2024, 1, 19)
UNKNOWN = "0190a0a0-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "symbol",
    [
        "SPXW{:%y%m%d}P06000000",
        "spxw  {:%y%m%d}P06000000",
        " SPXW {:%y%m%d}P06000000",
        "SPXW  {:%y%m%d}p06000000",
        "SPXW  {:%y%m%d}X06000000",
        "SPXW  {:%y%m%d}P0600000",
        "SPXW  {:%y%m%d}P060000000",
        "SPXW  {:%y%m%d}P00000000",
        "SPXW  {:%y%m%d}P\uff10\uff16\uff10\uff10\uff100\uff10\uff10",
        "\u0405PXW  {:%y%m%d}P06000000",
        "SPXW\t {:%y%m%d}P06000000",
        "SPXW\x00 {:%y%m%d}P06000000",
        "SPXW  261399P06000000",
        "",
        " ",
    ],
)
def test_an_option_that_is_not_written_as_one(refused, symbol):
    body = with_leg(put(), 0, symbol=symbol.format(far_off()))

    assert {field for field, _ in refused(body)} == {"legs[0].symbol"}


@pytest.mark.parametrize(
    "symbol", ["aapl", "AAPL ", "AA PL", "$SPX", "A" * 9, "\u0410\u0410PL", "AAPL;", 7]
)
def test_a_share_that_is_not_written_as_one(refused, symbol):
    found = refused(with_leg(shares(), 0, symbol=symbol))

    assert {field for field, _ in found} == {"legs[0].symbol"}


def test_an_option_that_expired(refused):
    body = with_leg(put(), 0, symbol=option(6000, on=PAST))

    assert refused(body) == {("legs[0].symbol", "EXPIRED")}


def test_a_short_put_above_the_short_call(refused):
    body = with_leg(with_leg(condor(), 0, symbol=option(6600)), 1, symbol=option(6595))

    assert refused(body) == {("legs", "strike_order")}


def test_a_wing_inside_the_body(refused):
    body = with_leg(condor(), 3, symbol=option(6480, "C"))

    assert refused(body) == {("legs", "strike_order")}


def test_the_same_option_twice(refused):
    body = with_leg(spread(), 1, symbol=option(6000))

    assert refused(body) == {("legs[1].symbol", "duplicate_leg")}


def test_legs_of_different_roots(refused):
    body = with_leg(condor(), 3, symbol=option(6505, "C", root="SPX"))

    assert refused(body) == {("legs", "mixed_roots")}


def test_legs_of_different_expirations(refused):
    body = with_leg(condor(), 3, symbol=option(6505, "C", on=date(2035, 1, 19)))

    assert refused(body) == {("legs", "mixed_expirations")}


@pytest.mark.parametrize("ratio", [0, -1, 1.5, "x", True, None, 101])
def test_a_ratio_that_is_none(refused, ratio):
    assert {f for f, _ in refused(with_leg(condor(), 1, ratio=ratio))} == {"legs[1].ratio"}


def test_unequal_ratios(refused):
    assert refused(with_leg(condor(), 1, ratio=2)) == {("legs[1].ratio", "mixed_ratios")}


@pytest.mark.parametrize("instruction", ["BUY", "buy_to_open", "", None, "OPEN", ["BUY_TO_OPEN"]])
def test_an_instruction_that_does_not_fit(refused, instruction):
    found = refused(with_leg(condor(), 2, instruction=instruction))

    assert "legs[2].instruction" in {field for field, _ in found}


@pytest.mark.parametrize(
    ("legs", "field", "code"),
    [
        ([], "legs", "empty"),
        ({}, "legs", "not_a_list"),
        ("legs", "legs", "not_a_list"),
        (None, "legs", "null"),
        ([None], "legs[0]", "null"),
        (["AAPL"], "legs[0]", "invalid"),
        ([[]], "legs[0]", "invalid"),
        ([{"symbol": "AAPL"}], "legs[0].instruction", "required"),
    ],
)
def test_legs_that_are_none(refused, legs, field, code):
    assert refused(condor(legs=legs)) == {(field, code)}


def test_a_fifth_leg(refused):
    body = condor()
    body["legs"].append(leg(option(6510, "C"), "BUY_TO_OPEN"))

    assert refused(body) == {("legs", "max_length")}


def test_fifty_thousand_legs(refused):
    assert refused(shares(legs=[0] * 50_000)) == {("legs", "max_length")}
