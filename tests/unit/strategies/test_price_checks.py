"""What is wrong with a ticket's limit and stop."""

from dataclasses import replace
from decimal import Decimal

import pytest

from strategies.domain.tickets import Leg, OrderType
from tests.unit.strategies.tickets import (
    BTO,
    CONDOR,
    DEBIT,
    LIMIT,
    MARKET,
    SHARES,
    SINGLE,
    STO,
    VERTICAL,
    codes,
)


@pytest.mark.parametrize(
    ("ticket", "limit", "code"),
    [
        (SHARES, "0.9999", None),
        (SHARES, "1000000", None),
        (SHARES, "1000000.01", "too_large"),
        (SHARES, "1E+999999", "too_large"),
        (SHARES, "0", "not_positive"),
        (SHARES, "-1", "not_positive"),
        (SHARES, "1E-999999", "too_many_decimals"),
        (SHARES, "NaN", "not_finite"),
        (SHARES, "sNaN", "not_finite"),
        (SHARES, "Infinity", "not_finite"),
        (SHARES, "-Infinity", "not_finite"),
        (SHARES, "1.001", "too_many_decimals"),
        (SHARES, "0.12345", "too_many_decimals"),
        (SHARES, "1.000", None),
        (SHARES, None, "missing"),
        (SINGLE, "2.43", "off_tick"),
        (SINGLE, "3.05", "off_tick"),
        (SINGLE, "3.10", None),
        (VERTICAL, "0", "not_positive"),
        (VERTICAL, "NaN", "not_finite"),
        (VERTICAL, "1.23", "off_tick"),
        (VERTICAL, "1.255", "too_many_decimals"),
        (VERTICAL, "9.95", None),
        (VERTICAL, "10", "CREDIT_OVER_WIDTH"),
        (VERTICAL, "10.05", "CREDIT_OVER_WIDTH"),
        (VERTICAL, "2000000", "too_large"),
        (CONDOR, "19.95", None),
        (CONDOR, "20", "CREDIT_OVER_WIDTH"),
        (CONDOR, None, "missing"),
    ],
)
def test_limits_are_judged_by_size_tick_and_width(ticket, limit, code):
    priced = replace(ticket, limit=None if limit is None else Decimal(limit))

    assert codes(priced) == ([("limit", code)] if code else [])


def test_spreads_on_shares_are_priced_in_cents():
    legs = (Leg("XYZ   260116C00050000", BTO), Leg("XYZ   260116C00055000", STO))
    ticket = replace(VERTICAL, legs=legs, price_effect=DEBIT)

    assert codes(replace(ticket, limit=Decimal("1.23"))) == []
    assert codes(replace(ticket, limit=Decimal("4.99"))) == []
    assert codes(replace(ticket, limit=Decimal(5))) == [("limit", "beyond_width")]


def test_the_word_of_the_chain_on_the_penny_programme_decides_the_tick():
    assert codes(replace(SINGLE, limit=Decimal("2.43")), penny=True) == []


@pytest.mark.parametrize(
    ("ticket", "order_type", "limit", "stop", "expected"),
    [
        (SHARES, MARKET, "1", None, [("limit", "not_allowed")]),
        (SHARES, MARKET, None, "1", [("stop", "not_allowed")]),
        (SHARES, MARKET, "1", "1", [("limit", "not_allowed"), ("stop", "not_allowed")]),
        (SHARES, LIMIT, "1", "1", [("stop", "not_allowed")]),
        (SHARES, OrderType.STOP, None, None, [("stop", "missing")]),
        (SHARES, OrderType.STOP, "1", "1", [("limit", "not_allowed")]),
        (SHARES, OrderType.STOP_LIMIT, "1", None, [("stop", "missing")]),
        (SHARES, OrderType.STOP_LIMIT, None, "1", [("limit", "missing")]),
        (SHARES, OrderType.STOP_LIMIT, None, None, [("limit", "missing"), ("stop", "missing")]),
        (SHARES, OrderType.STOP, None, "0", [("stop", "not_positive")]),
        (SHARES, OrderType.STOP, None, "NaN", [("stop", "not_finite")]),
        (SINGLE, OrderType.STOP, None, "3.05", [("stop", "off_tick")]),
        (VERTICAL, OrderType.STOP, None, "1.23", [("order_type", "not_allowed")]),
        (CONDOR, OrderType.STOP_LIMIT, "1", None, [("order_type", "not_allowed")]),
        (VERTICAL, MARKET, "1", None, [("limit", "not_allowed")]),
    ],
)
def test_limit_and_stop_must_suit_the_order_type(ticket, order_type, limit, stop, expected):
    ticket = replace(
        ticket,
        order_type=order_type,
        limit=None if limit is None else Decimal(limit),
        stop=None if stop is None else Decimal(stop),
    )

    assert codes(ticket) == expected
