"""Recognise the order that a broker put in the place of one of ours."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from brokerage.schwab.replies import BrokerOrder

# The old order closes when the new one is entered; both times have whole seconds.
APART = timedelta(seconds=2)


def successors(
    old: BrokerOrder, listed: Iterable[BrokerOrder], *, taken: Collection[str]
) -> list[BrokerOrder]:
    """Return the orders that may stand in the place of a replaced one, whoever's tag they carry.

    They buy and sell the same, are priced the same way, and were entered when the old one closed.
    Price and quantity tell nothing: a replaced order has another price, or less to fill.

    Args:
        taken: numbers of orders that belong to an account order.
    """
    return [
        one
        for one in listed
        if one.order_id not in taken
        and one.order_id != old.order_id
        and one.order_type == old.order_type
        and _legs(one) == _legs(old)
        and _is_next(old, one)
    ]


def _legs(order: BrokerOrder) -> set[tuple[str, str]]:
    return {(leg.symbol.strip(), leg.instruction) for leg in order.legs}


def _is_next(old: BrokerOrder, new: BrokerOrder) -> bool:
    if old.closed_at is None or new.entered_at is None:
        return False
    return abs(new.entered_at - old.closed_at) <= APART
