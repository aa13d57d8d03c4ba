"""The saved orders of an agent, ready to be shown and loaded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.models import User
from orders.domain.saved import MOST_NUMBERS, Unreadable, read_ticket
from orders.models import SavedOrder
from strategies.domain.catalog import study
from strategies.domain.expiring import has_ended
from strategies.domain.symbols import InvalidSymbol, is_option, parse_option
from strategies.domain.tickets import Leg, Strategy, Ticket


@dataclass(frozen=True, slots=True)
class SavedLine:
    """One saved order in a list.

    Args:
        number: the key that loads it; 0 for none.
        trade: what agents call it: `Iron condor`.
        terms: price and size: `CREDIT 1.85 ×1`.
        expired_on: the day its options expired; None while they can be traded.
        is_readable: whether it can be loaded at all.
    """

    id: int
    name: str
    number: int
    trade: str = ""
    terms: str = ""
    legs: Sequence[Leg] = ()
    is_for_shares: bool = False
    expired_on: date | None = None
    is_readable: bool = True


def list_saved(
    agent: User, *, today: date, strategies: Collection[Strategy] | None = None
) -> list[SavedLine]:
    """Return an agent's saved orders: numbered ones first, in the order of their keys.

    Args:
        today: the date at the exchange.
        strategies: only of these; None for all.
    """
    rows = SavedOrder.objects.filter(agent=agent)
    if strategies is not None:
        rows = rows.filter(ticket__strategy__in=[one.value for one in strategies])
    lines = [_line(row, today) for row in rows]
    return sorted(lines, key=lambda line: (line.number == 0, line.number, line.id))


def find_saved(agent: User, saved_id: int) -> SavedOrder | None:
    """Return one saved order of an agent, None if it is not his or gone."""
    return SavedOrder.objects.filter(agent=agent, pk=saved_id).select_related("agent").first()


def free_number(agent: User) -> int:
    """Return the first key that loads nothing yet, 0 if all do."""
    taken = set(SavedOrder.objects.filter(agent=agent).values_list("number", flat=True))
    return next((number for number in range(1, MOST_NUMBERS + 1) if number not in taken), 0)


def _line(row: SavedOrder, today: date) -> SavedLine:
    try:
        ticket = read_ticket(row.ticket)
    except Unreadable:
        return SavedLine(row.pk, row.name, row.number, is_readable=False)
    structure, _ = study(ticket.legs)
    return SavedLine(
        id=row.pk,
        name=row.name,
        number=row.number,
        trade=structure.name if structure else "",
        terms=_terms(ticket),
        legs=structure.legs if structure else ticket.legs,
        is_for_shares=ticket.strategy is Strategy.EQUITY,
        expired_on=_expired_on(ticket, today),
    )


def _terms(ticket: Ticket) -> str:
    kind = (ticket.price_effect or ticket.order_type).removeprefix("NET_").replace("_", " ")
    return f"{kind}{_price(ticket.limit)} ×{ticket.contracts}"


def _price(limit: Decimal | None) -> str:
    return "" if limit is None else f" {limit:.2f}"


def _expired_on(ticket: Ticket, today: date) -> date | None:
    try:
        options = [parse_option(leg.symbol) for leg in ticket.legs if is_option(leg.symbol)]
    except InvalidSymbol:
        return None
    return next((one.expiration for one in options if has_ended(one, today=today)), None)
