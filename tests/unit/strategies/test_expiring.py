"""The last moment at which an option can be traded."""

from datetime import date, time

import pytest

from strategies.domain.expiring import has_ended
from strategies.domain.symbols import parse_option
from tests.unit.strategies.tickets import SINGLE, codes, with_leg

FRIDAY = date(2026, 1, 16)


def option(root):
    return parse_option(f"{root:<6}260116P00100000")


@pytest.mark.parametrize("root", ["SPXW", "AAPL", "SPY"])
def test_an_option_trades_until_its_expiration_day_is_over_where_the_market_has_no_hours(root):
    assert not has_ended(option(root), today=FRIDAY)
    assert has_ended(option(root), today=date(2026, 1, 17))
    assert not has_ended(option(root), today=date(2026, 1, 15), at=time(23))


@pytest.mark.parametrize(
    ("root", "last"), [("SPXW", time(16)), ("SPY", time(16, 15)), ("AAPL", time(16, 15))]
)
def test_where_it_has_hours_the_bell_ends_it(root, last):
    assert not has_ended(option(root), today=FRIDAY, at=last.replace(hour=15, minute=59))
    assert has_ended(option(root), today=FRIDAY, at=last)


@pytest.mark.parametrize("root", ["SPX", "NDX", "RUT", "VIX"])
def test_what_settles_in_the_morning_trades_until_the_day_before(root):
    assert not has_ended(option(root), today=date(2026, 1, 15), at=time(16, 30))
    assert has_ended(option(root), today=FRIDAY)


def test_a_ticket_is_refused_from_that_moment_on():
    ticket = with_leg(SINGLE, 0, symbol="XYZ   260116C00050000")

    assert codes(ticket, today=FRIDAY, at=time(16, 14)) == []
    assert codes(ticket, today=FRIDAY, at=time(16, 15)) == [("legs[0].symbol", "EXPIRED")]
