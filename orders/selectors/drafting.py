"""Draft a whole ticket from a wish: what it leaves open is picked from the live market."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from orders.domain.errors import BadTicket
from orders.domain.shapes import Shape
from orders.selectors.offering import Offer, make_offer
from orders.selectors.picking import USUAL, Picking, Strikes
from strategies.domain.catalog import Structure
from strategies.domain.legs import describe
from strategies.domain.tickets import OrderType, Problem, Strategy, Ticket


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator typed; empty parts are picked from the market.

    Args:
        limit: a price, or `mid`, `natural`, `market`.
    """

    shape: Shape
    contracts: int
    limit: str
    expiration: date | None = None
    strikes: Strikes | None = None
    picking: Picking = USUAL


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket with a line for people."""

    ticket: Ticket
    words: str


def draft_ticket(wish: Wish, *, today: date) -> Draft:
    """Build a ticket that says all that the wish left open.

    Errors: BadTicket, ImpossibleTrade, InvalidSymbol; those of brokerage.errors.
    """
    offer = make_offer(
        wish.shape,
        expiration=wish.expiration,
        strikes=wish.strikes,
        exactly=True,
        today=today,
        picking=wish.picking,
    )
    structure = _structure(wish, offer)
    limit = None if wish.limit == "market" else _limit(wish.limit, offer)
    ticket = Ticket(
        strategy=structure.strategy,
        legs=structure.legs,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        contracts=wish.contracts,
        limit=limit,
        price_effect=structure.price_effect if len(structure.legs) > 1 else None,
    )
    return Draft(ticket, _words(structure, ticket))


def _structure(wish: Wish, offer: Offer) -> Structure:
    if wish.expiration not in {None, offer.expiration}:
        raise _bad("expiration", "not_listed", f"{wish.expiration} is not listed.")
    if offer.structure is not None:
        return offer.structure
    if wish.shape.strategy is Strategy.EQUITY or not offer.strikes or offer.expiration is None:
        raise _bad("strikes", "no_choice", "The chain has no deltas to pick by. Give the strikes.")
    if len(offer.strikes) != len(wish.shape.sides):
        words = f"This strategy has {len(wish.shape.sides)} strikes."
        raise _bad("strikes", "wrong_number", words)
    # Builds again what the offer could not, to hear why.
    return wish.shape.build(root=offer.root, expiration=offer.expiration, strikes=offer.strikes)


def _limit(wished: str, offer: Offer) -> Decimal:
    if wished in {"mid", "natural"}:
        price = offer.mid if wished == "mid" else offer.natural
        if price is None:
            raise _bad("strikes", "no_price", "The market has no price for one of the strikes.")
        return price
    try:
        return Decimal(wished)
    except InvalidOperation:
        raise _bad("limit", "invalid", "Give a price, mid, natural or market.") from None


def _words(structure: Structure, ticket: Ticket) -> str:
    legs = " / ".join(describe(leg) for leg in structure.legs)
    effect = (ticket.price_effect or ticket.order_type).removeprefix("NET_")
    price = "" if ticket.limit is None else f" {ticket.limit}"
    return f"{structure.name}: {legs} ×{ticket.contracts} {effect}{price}"


def _bad(field: str, code: str, message: str) -> BadTicket:
    return BadTicket([Problem(field, code, message)])
