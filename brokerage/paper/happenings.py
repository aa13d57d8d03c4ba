"""What happens to orders, as it is told to the stream of their login."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from brokerage.paper.orders import Order


class Kind(Enum):
    PLACED = auto()
    REPLACED = auto()
    REJECTED = auto()
    FILLED = auto()
    CANCELED = auto()
    EXPIRED = auto()


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to an order; its figures are those of this moment.

    Args:
        order: of REPLACED the new order.
        at: Unix seconds.
        is_routed: whether the order went to an exchange, which is open.
        units: filled or canceled now.
        filled: units that are filled by now.
        leg_prices: of a fill, USD per share or contract, in the order of the legs.
        instead_of: the order that REPLACED ended, or that a rejected one was to replace.
    """

    kind: Kind
    order: Order
    at: float
    is_routed: bool = False
    units: int = 0
    filled: int = 0
    leg_prices: tuple[Decimal, ...] = ()
    instead_of: Order | None = None


def ignore(_: Happening) -> None:
    """Tell nobody."""
