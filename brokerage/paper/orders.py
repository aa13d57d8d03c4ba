"""An order as the paper broker keeps it, and what the customer asked for in it."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from strategies.domain.symbols import SHARES_PER_CONTRACT
from strategies.domain.tickets import Instruction

OPEN_STATUSES = frozenset({"WORKING", "PENDING_ACTIVATION"})
NET_TYPES = frozenset({"NET_DEBIT", "NET_CREDIT", "NET_ZERO"})
STOP_TYPES = frozenset({"STOP", "STOP_LIMIT"})
AT_ONCE_OR_NEVER = frozenset({"FILL_OR_KILL", "IMMEDIATE_OR_CANCEL"})
SIGNS = {one: 1 if one.is_buy else -1 for one in Instruction}


@dataclass(frozen=True, slots=True)
class OrderLeg:
    """One leg: its quantity is that of the whole order, its ratio that of one unit."""

    symbol: str
    instruction: Instruction
    is_option: bool
    quantity: int
    ratio: int

    @property
    def sign(self) -> int:
        """What the leg does to a holding: 1 adds, -1 takes away."""
        return SIGNS[self.instruction]

    @property
    def multiplier(self) -> int:
        """How many shares one unit of quantity stands for."""
        return SHARES_PER_CONTRACT if self.is_option else 1


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """What the customer asked for.

    Args:
        units: spreads, contracts or shares.
        limit: USD per unit as written, never negative; None without one.
        stop: USD per unit; None without one.
        extras: optional fields that are only shown again.
    """

    order_type: str
    session: str
    duration: str
    complex_type: str
    units: int
    legs: tuple[OrderLeg, ...]
    limit: Decimal | None = None
    stop: Decimal | None = None
    extras: tuple[tuple[str, Any], ...] = ()

    @property
    def direction(self) -> int:
        """Which way the price flows: 1 when the customer receives it, -1 when he pays."""
        if self.order_type in NET_TYPES:
            return 1 if self.order_type == "NET_CREDIT" else -1
        return -self.legs[0].sign

    @property
    def signed_limit(self) -> Decimal | None:
        """The limit as the customer's gain per unit, so that more is better for him."""
        return None if self.limit is None else self.limit * self.direction

    @property
    def is_spread(self) -> bool:
        """Whether it has several legs."""
        return len(self.legs) > 1

    @property
    def net_legs(self) -> tuple[tuple[str, bool, int], ...]:
        """The legs of one unit as the market prices them."""
        return tuple((leg.symbol, leg.sign > 0, leg.ratio) for leg in self.legs)

    def of_units(self, units: int) -> "OrderSpec":
        """Return the same order for another number of units."""
        legs = tuple(replace(leg, quantity=leg.ratio * units) for leg in self.legs)
        return replace(self, units=units, legs=legs)


@dataclass(slots=True)
class Order:
    """One order and what became of it.

    Args:
        account: hash of its account.
        filled: units.
        reserve: available funds it holds back while it works, USD.
        is_held: it fills by hand only.
        is_triggered: its stop price was reached.
        hidden_until: Unix seconds before which lists do not show it.
        activities: its executions as Schwab writes them, oldest first.
        text: its JSON while that is still right.
    """

    id: int
    account: str
    spec: OrderSpec
    tag: str
    entered_at: float
    status: str = "WORKING"
    status_text: str | None = None
    closed_at: float | None = None
    filled: int = 0
    reserve: Decimal = Decimal(0)
    is_held: bool = False
    is_triggered: bool = False
    hidden_until: float = 0.0
    activities: list[dict[str, Any]] = field(default_factory=list)
    text: bytes | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in OPEN_STATUSES

    @property
    def remaining(self) -> int:
        """The units that have not been filled."""
        return self.spec.units - self.filled

    @property
    def open_reserve(self) -> Decimal:
        """The part of the reserve that belongs to what has not been filled."""
        return self.reserve * self.remaining / self.spec.units

    def close(self, status: str, *, now: float, text: str | None = None) -> None:
        """End the order."""
        self.status = status
        self.closed_at = now
        self.status_text = text
