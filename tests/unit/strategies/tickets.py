"""Good tickets of every strategy, for tests to spoil."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from strategies.domain.checks import find_problems
from strategies.domain.tickets import Instruction, Leg, OrderType, PriceEffect, Strategy, Ticket

TODAY = date(2026, 1, 15)
BTO, STO = Instruction.BUY_TO_OPEN, Instruction.SELL_TO_OPEN
CREDIT, DEBIT, EVEN = PriceEffect
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET

CALL = Leg("XYZ   260116C00050000", BTO)
SHARES = Ticket(Strategy.EQUITY, (Leg("AAPL", Instruction.BUY),), LIMIT, 100, Decimal("270.15"))
SINGLE = Ticket(Strategy.SINGLE_OPTION, (CALL,), LIMIT, 10, Decimal("2.45"))
VERTICAL = Ticket(
    Strategy.VERTICAL,
    (Leg("SPXW  260116P05900000", BTO), Leg("SPXW  260116P05910000", STO)),
    LIMIT,
    1,
    Decimal("1.25"),
    price_effect=CREDIT,
)
CONDOR = Ticket(
    Strategy.IRON_CONDOR,
    (
        Leg("SPXW  260116P05900000", BTO),
        Leg("SPXW  260116P05910000", STO),
        Leg("SPXW  260116C06100000", STO),
        Leg("SPXW  260116C06120000", BTO),
    ),
    LIMIT,
    1,
    Decimal("1.80"),
    price_effect=CREDIT,
)
ALL = [SHARES, SINGLE, VERTICAL, CONDOR]


def codes(ticket, today=TODAY, **facts):
    return [
        (problem.field, problem.code) for problem in find_problems(ticket, today=today, **facts)
    ]


def with_leg(ticket, index, **changes):
    legs = list(ticket.legs)
    legs[index] = replace(legs[index], **changes)
    return replace(ticket, legs=tuple(legs))
