"""What a broadcast asks for, as the ticket that the rules of price ladders look at."""

from collections.abc import Iterable

from orders.models import ComplexOrder, OrderLeg
from orders.selectors.showing import Broadcast
from strategies.domain.tickets import (
    Duration,
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Session,
    Strategy,
    Ticket,
)


def parent_ticket(order: ComplexOrder | Broadcast, legs: Iterable[OrderLeg]) -> Ticket:
    """Return what the agent asked for: the whole trade, at the limit that it has now."""
    return Ticket(
        strategy=Strategy(order.strategy),
        legs=tuple(Leg(leg.symbol, Instruction(leg.instruction), leg.ratio) for leg in legs),
        order_type=OrderType(order.order_type),
        contracts=order.contracts,
        limit=order.limit,
        stop=order.stop,
        price_effect=PriceEffect(order.price_effect) if order.price_effect else None,
        duration=Duration(order.duration),
        session=Session(order.session),
    )
