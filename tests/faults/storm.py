"""Many broadcasts at once, each to an account of its own under faults of its own."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.trader import Trader, is_settled

Fault = dict[str, Any]


@dataclass
class Storm:
    """What is broadcast, by row, and what was made by hand beside it."""

    trader: Trader
    accounts: Mapping[str, str]
    orders: dict[str, int] = field(default_factory=dict)
    by_hand: dict[str, str] = field(default_factory=dict)

    def lay(self, row: str, fault: str, **more: Any) -> None:
        """Lay out a fault for a row's account: for its placing, unless told."""
        self.trader.fault(fault, self.accounts[row], **more)

    def send(self, row: str) -> dict[str, Any]:
        """Broadcast to a row's account; return the ticket."""
        ticket = self.trader.ticket([self.accounts[row]])
        self.orders[row] = self.trader.click(ticket).json()["id"]
        return ticket

    def make_twin(self, row: str, ticket: dict[str, Any], tag: str) -> None:
        """Make the same order by hand in a row's account."""
        self.by_hand[row] = self.trader.make_by_hand(self.accounts[row], ticket, tag)

    def send_beside_twin(self, row: str, fault: str, tag: str) -> None:
        """Broadcast under a fault what was made by hand a moment ago."""
        ticket = self.trader.ticket([self.accounts[row]])
        self.make_twin(row, ticket, tag)
        self.lay(row, fault)
        self.orders[row] = self.trader.click(ticket).json()["id"]

    def share(self, row: str) -> dict[str, Any]:
        """Return what the product says of a row's account."""
        (share,) = self.trader.shares(self.orders[row])
        return share

    def at_broker(self, row: str) -> list[str]:
        """Return the numbers of the broker's orders that are like a row's, oldest first."""
        return [str(one["orderId"]) for one in self.trader.orders_like(self.orders[row])]

    def wait(self, seconds: float) -> None:
        """Wait until all rows are settled; those that are not will be told by their tests."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if all(is_settled(self.share(row)) for row in self.orders):
                return
            time.sleep(0.5)


Send = Callable[[Storm, str], object]
