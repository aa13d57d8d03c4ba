"""Plan exits from what the broker shows: the next order of each account, or why there is none."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from orders.domain.bodies import Body, body_of
from orders.domain.exiting import ClosingOrder, Holdings, Quantities, Refusal, next_order
from orders.domain.exits import MOST_PERCENT, ExitState, Pricing
from orders.domain.lifecycle import Status
from orders.models import ComplexOrder, ExitStep
from orders.selectors.exit_pricing import exit_prices
from strategies.domain.catalog import recognise
from strategies.domain.tickets import Duration, Leg, OrderType, Session, Ticket

SOON = timedelta(seconds=1)
# How long the broker may report positions behind the fills before somebody must look.
PATIENCE = timedelta(seconds=30)
# So long an exit waits for others that close some of its legs, before it goes on without those.
TOGETHER = timedelta(seconds=5)
NO_PRICE = "There is no quote to price {} by. Try again, or give a limit."
CLOSED_ELSEWHERE = "Other orders that are out close it already; what they leave is closed then."
SETTLING = "Some of it was closed a moment ago; positions are read again before the rest goes."
NOT_OURS = "The broker reports {}, which this set did not buy. Close it by hand, or leave it."
STILL_THERE = "Everything is closed; the broker still reports {}."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a step now.

    Args:
        order: what is sent; with its body.
        residual: what of the plan is left, signed, by symbol.
    """

    state: ExitState
    why: str = ""
    due_at: datetime | None = None
    order: ClosingOrder | None = None
    body: Body | None = None
    residual: Quantities = field(default_factory=dict)
    is_flat: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the plan of one account rests on.

    Args:
        order: the exit's closing order.
        others: what other sets have of the same symbols in this account, signed.
        broken: symbols of which a part of a share is held.
        settling: symbols that were closed a moment ago, of which positions may still show too much.
        last_fill: of this exit in this account.
    """

    step: ExitStep
    order: ComplexOrder
    holdings: Holdings
    others: Quantities
    broken: Collection[str]
    settling: Collection[str]
    last_fill: datetime | None
    now: datetime


def wanted_of(step: ExitStep, closed: Mapping[str, int]) -> dict[str, int]:
    """Return what a step has still to close, signed as the position that it is."""
    left = {}
    for symbol, planned in step.plan.items():
        size = max(abs(planned) - closed.get(symbol, 0), 0)
        left[symbol] = size if planned > 0 else -size
    return left


def plan(facts: Facts, prices: "Prices") -> Outcome:
    """Return what becomes of one step."""
    step, holdings = facts.step, facts.holdings
    left = _left(holdings)
    child = step.child
    if child is not None and child.status != Status.FILLED and left:
        why = child.reason or f"Its order ended: {child.status}."
        return Outcome(ExitState.RESIDUAL, why, residual=left)
    found = next_order(holdings)
    if isinstance(found, Refusal):
        return Outcome(ExitState.RESIDUAL, found.words, residual=left)
    if found is not None:
        why = _why_later(facts)
        if why:
            return Outcome(ExitState.WAITING, why, facts.now + SOON, residual=left)
        return _send(facts, found, left, prices)
    if left:
        due = facts.now + SOON
        return Outcome(ExitState.WAITING, CLOSED_ELSEWHERE, due, residual=left)
    return _conclude(facts)


def _why_later(facts: Facts) -> str:
    """Return why an order that could go now should not: what is whole is not to be taken apart."""
    holdings = facts.holdings
    if any(holdings.wanted[symbol] for symbol in facts.settling):
        return SETTLING
    is_taken = any(holdings.left(s) and not holdings.closable(s) for s in holdings.wanted)
    return CLOSED_ELSEWHERE if is_taken and facts.now < facts.step.opened_at + TOGETHER else ""


class Prices:
    """Prices of what exits send, asked for once per trade."""

    def __init__(self) -> None:
        self._limits: dict[tuple[tuple[Leg, ...], Pricing], Decimal | None] = {}
        self._bodies: dict[tuple[int, tuple[Leg, ...], int], Body] = {}

    def limit(self, legs: tuple[Leg, ...], pricing: Pricing) -> Decimal | None:
        """Return the limit on tick for these legs now; None without quotes."""
        key = (legs, pricing)
        if key not in self._limits:
            found = exit_prices(legs)
            self._limits[key] = found.natural if pricing == Pricing.NATURAL else found.mid
        return self._limits[key]

    def body(self, order: ComplexOrder, closing: ClosingOrder, *, is_whole: bool) -> Body | None:
        """Return what is sent; None if there is no price.

        Args:
            is_whole: whether it has all legs of the set, for which the exit has its own price.
        """
        key = (order.pk, closing.legs, closing.units)
        if key not in self._bodies:
            ticket = self._ticket(order, closing, is_whole=is_whole)
            if ticket is None:
                return None
            self._bodies[key] = body_of(ticket, closing.units)
        return self._bodies[key]

    def _ticket(
        self, order: ComplexOrder, closing: ClosingOrder, *, is_whole: bool
    ) -> Ticket | None:
        """Return the ticket: at the exit's own price if it is the whole, else at the market's.

        What is left of a set has another worth than the set. A MARKET exit stays one: a rest with
        several legs is no more dangerous than the whole, which the agent allowed.
        """
        structure = recognise(closing.legs)
        ticket = Ticket(
            strategy=closing.strategy,
            legs=closing.legs,
            order_type=OrderType(order.order_type),
            contracts=closing.units,
            price_effect=structure.price_effect,
            duration=Duration(order.duration),
            session=Session(order.session),
        )
        if ticket.order_type is OrderType.MARKET:
            return ticket
        limit = order.limit if is_whole else self.limit(closing.legs, Pricing(order.pricing))
        return None if limit is None else replace(ticket, limit=limit)


def _send(facts: Facts, found: ClosingOrder, left: Quantities, prices: Prices) -> Outcome:
    is_whole = len(found.legs) == len(facts.step.plan)
    body = prices.body(facts.order, found, is_whole=is_whole)
    if body is None:
        names = ", ".join(leg.symbol for leg in found.legs)
        return Outcome(ExitState.RESIDUAL, NO_PRICE.format(names), residual=left)
    return Outcome(ExitState.CLOSING, order=found, body=body, residual=left)


def _left(holdings: Holdings) -> dict[str, int]:
    """Return what is wanted and held, signed, without what is zero."""
    signed = {
        symbol: holdings.left(symbol) * (1 if wanted > 0 else -1)
        for symbol, wanted in holdings.wanted.items()
    }
    return {symbol: quantity for symbol, quantity in signed.items() if quantity}


def _conclude(facts: Facts) -> Outcome:
    """Return what becomes of a step of which nothing is left to close."""
    step, held = facts.step, facts.holdings.held
    strange = {symbol: held.get(symbol, 0) for symbol in step.plan if _is_strange(facts, symbol)}
    if not strange:
        return Outcome(ExitState.DONE, is_flat=True)
    if facts.order.percent < MOST_PERCENT:
        return Outcome(ExitState.DONE, f"{facts.order.percent} % closed.")
    words = ", ".join(
        f"{quantity or 'a part of a share of'} {s}" for s, quantity in strange.items()
    )
    if facts.last_fill is not None and facts.now < facts.last_fill + PATIENCE:
        return Outcome(ExitState.PROVING, STILL_THERE.format(words), facts.now + SOON)
    return Outcome(ExitState.RESIDUAL, NOT_OURS.format(words), residual=strange)


def _is_strange(facts: Facts, symbol: str) -> bool:
    """Whether the broker reports something of a leg that no other set explains."""
    if symbol in facts.broken:
        return True
    held, others = facts.holdings.held.get(symbol, 0), facts.others.get(symbol, 0)
    return held != 0 and not (held * others > 0 and abs(held) <= abs(others))


def accounts_of(steps: Sequence[ExitStep]) -> set[UUID]:
    """Return the accounts of these steps."""
    return {step.account_id for step in steps}
