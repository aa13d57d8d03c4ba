"""Trades on their way out, for the guards to judge."""

from uuid import UUID

from accounts.domain.limits import limits_of
from orders.domain.allocation import Share
from orders.domain.guards import Situation, find_refusals
from orders.domain.lifecycle import Purpose
from strategies.domain.catalog import recognise
from strategies.domain.legs import is_closing
from strategies.domain.tickets import Instruction, Problem
from tests.unit.strategies.tickets import CONDOR, SINGLE, with_leg

LIMITS = limits_of([])
PUT = with_leg(SINGLE, 0, symbol="XYZ   260116P00050000", instruction=Instruction.SELL_TO_OPEN)


def share(number=1, contracts=1, **more):
    return Share(UUID(int=number), f"Alder {number}", contracts, **more)


def situation(ticket=CONDOR, *, shares=None, natural=None, limits=LIMITS):
    return Situation(
        ticket=ticket,
        structure=recognise(ticket.legs),
        purpose=Purpose.CLOSE if is_closing(ticket.legs) else Purpose.OPEN,
        shares=[share()] if shares is None else shares,
        limits=limits,
        natural=natural,
    )


def refusals(*args, **more) -> list[Problem]:
    return find_refusals(situation(*args, **more))


def codes(*args, **more) -> list[str]:
    return [problem.code for problem in refusals(*args, **more)]


def only(*args, **more) -> Problem:
    (problem,) = refusals(*args, **more)
    return problem
