"""The rules of a price ladder: how a limit moves, step by step, towards being filled."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from strategies.domain.checks import find_problems
from strategies.domain.pricing import signed
from strategies.domain.tickets import Duration, OrderType, Problem, Ticket
from strategies.domain.ticks import on_tick, round_to_tick, tick_for

SHORTEST_S, LONGEST_S = 3, 3600
MOST_STEPS = 200

_LASTING = frozenset({Duration.DAY, Duration.GOOD_TILL_CANCEL})


@dataclass(frozen=True, slots=True)
class Ladder:
    """How a limit is to move.

    Args:
        step: USD per unit, positive, whichever way it goes.
        every_s: seconds from one step to the next.
        bound: the cap of a price that is paid, the floor of one that is received; USD per unit.
    """

    step: Decimal
    every_s: int
    bound: Decimal


def climbs(ticket: Ticket) -> bool:
    """Whether the limit rises towards being filled: it is paid, and its bound is a cap."""
    return signed(Decimal(1), ticket) < 0


def bound_word(ticket: Ticket) -> str:
    """Return what agents call the bound."""
    return "cap" if climbs(ticket) else "floor"


def plain(price: Decimal | None) -> str:
    """Write a price for the record, one way whether it was read or reckoned: `1.05`, `2`."""
    return "" if price is None else f"{price.normalize():f}"


def next_limit(ticket: Ticket, ladder: Ladder) -> Decimal | None:
    """Return the limit after a ticket's own, on tick and never past the bound; None at the bound.

    Where the next price lies between two ticks, it is the one nearer to being filled.
    """
    if ticket.limit is None or not _is_ahead(ticket, ladder.bound):
        return None
    is_up = climbs(ticket)
    wish = ticket.limit + (ladder.step if is_up else -ladder.step)
    if not _is_ahead(replace(ticket, limit=wish), ladder.bound):
        return ladder.bound
    rounded = round_to_tick(wish, _tick(ticket, wish), up=is_up)
    return min(rounded, ladder.bound) if is_up else max(rounded, ladder.bound)


def check_ladder(ticket: Ticket, ladder: Ladder) -> list[Problem]:
    """Return all reasons why a ladder cannot move this ticket's limit; none means that it can."""
    if ticket.order_type is not OrderType.LIMIT or ticket.limit is None:
        words = "Only the limit of a LIMIT order can move. Leave the ladder out, or use LIMIT."
        return [Problem("ladder", "not_allowed", words)]
    if ticket.duration not in _LASTING:
        words = f"A {ticket.duration} order does not wait for another price. Use DAY."
        return [Problem("ladder", "not_allowed", words)]
    unfit = list(_of_bound(ticket, ladder.bound))
    known = replace(ladder, bound=ticket.limit) if unfit else ladder
    return [*_of_step(ticket, known), *_of_seconds(ladder.every_s), *unfit]


def about_bound(problem: Problem, ticket: Ticket) -> Problem:
    """Return what was found wrong with a limit as something wrong with the bound."""
    words = problem.message.replace("limit", bound_word(ticket))
    return replace(problem, field="ladder.bound", message=words)


def _of_bound(ticket: Ticket, bound: Decimal) -> Iterator[Problem]:
    """Judge the bound as the limit that it may become."""
    found = find_problems(replace(ticket, limit=bound), today=date.min)
    unfit = [about_bound(problem, ticket) for problem in found if problem.field == "limit"]
    yield from unfit
    if not unfit and not _is_ahead(ticket, bound):
        side = "above" if climbs(ticket) else "below"
        text = f"The {bound_word(ticket)} must be {side} the limit: that way it is filled."
        yield Problem("ladder.bound", "wrong_side", text)


def _of_step(ticket: Ticket, ladder: Ladder) -> Iterator[Problem]:
    """Judge the step; limit and bound are known to be prices."""
    step, limit = ladder.step, ticket.limit or ladder.bound
    tick = _tick(ticket, min(limit, ladder.bound))
    if not step.is_finite() or step <= 0:
        yield Problem("ladder.step", "not_positive", "The step must be above zero.")
    elif not on_tick(step, tick):
        yield Problem("ladder.step", "off_tick", f"The step must be a multiple of {tick}.")
    elif abs(ladder.bound - limit) > step * MOST_STEPS:
        text = f"That makes more than {MOST_STEPS} steps. Use a larger step or a nearer bound."
        yield Problem("ladder.step", "too_many_steps", text)


def _of_seconds(every_s: int) -> Iterator[Problem]:
    if not SHORTEST_S <= every_s <= LONGEST_S:
        text = f"A step may last from {SHORTEST_S} to {LONGEST_S:,} seconds."
        yield Problem("ladder.every_s", "out_of_range", text)


def _is_ahead(ticket: Ticket, price: Decimal) -> bool:
    """Whether a price is nearer to being filled than the ticket's limit."""
    limit = ticket.limit or Decimal(0)
    return price > limit if climbs(ticket) else price < limit


def _tick(ticket: Ticket, price: Decimal) -> Decimal:
    return tick_for(ticket.strategy, [leg.symbol for leg in ticket.legs], price)
