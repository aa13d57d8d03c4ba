"""The broker's books: accounts with cash and positions, and the orders that are not archived."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from brokerage.paper.orders import Order

EPOCH_2020 = 1_577_836_800
FIRST_ORDER_ID = 1_000_000_000_000
FIRST_ACTIVITY_ID = 90_000_000_000


@dataclass(slots=True)
class Position:
    """What an account holds of one symbol.

    Args:
        quantity: shares or contracts, negative when short.
        price: average fill price, USD per share.
        fees: paid to get in, USD per share or contract.
        previous: the quantity at the start of the session.
    """

    quantity: int
    price: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    previous: int = 0


@dataclass(slots=True)
class Account:
    """One trading account.

    Args:
        hash: its name on the wire, 64 hexadecimal digits.
        user: of the login it belongs to.
        is_margin: a MARGIN account; otherwise CASH.
        opening_cash: what it was worth when the day began, USD.
        orders: oldest first, without those in the archive.
    """

    number: str
    hash: str
    user: str
    is_margin: bool
    cash: Decimal
    opening_cash: Decimal
    positions: dict[str, Position] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)

    def held(self, symbol: str) -> int:
        """Return the quantity held, negative when short."""
        position = self.positions.get(symbol)
        return position.quantity if position else 0

    def open_orders(self) -> Iterator[Order]:
        """Go through the orders that may still fill."""
        return (order for order in self.orders if order.is_open)


class Books:
    """All accounts, the orders that are not archived, and the ids they are given.

    Attributes:
        name: by which the archive tells its orders from those of other books.
    """

    def __init__(self, *, now: float) -> None:
        self.name = secrets.token_hex(8)
        self.accounts: dict[str, Account] = {}
        self.accounts_of: dict[str, list[Account]] = {}
        self.orders: dict[int, Order] = {}
        self.open: dict[int, Order] = {}
        self.changed_orders: set[int] = set()
        self.changed_accounts: set[str] = set()
        # A broker that starts anew without its state must not give out an id twice.
        self.last_order_id = FIRST_ORDER_ID + int((now - EPOCH_2020) * 1000)
        self.last_activity_id = FIRST_ACTIVITY_ID + int(now - EPOCH_2020) * 100

    def add_account(self, account: Account) -> None:
        """Open an account."""
        self.accounts[account.hash] = account
        self.accounts_of.setdefault(account.user, []).append(account)

    def next_order_id(self) -> int:
        """Give out the next id of an order."""
        self.last_order_id += 1
        return self.last_order_id

    def next_activity_id(self) -> int:
        """Give out the next id of an execution."""
        self.last_activity_id += 1
        return self.last_activity_id

    def add_order(self, order: Order) -> None:
        """Enter an order; it must be reported by `note` after every later change."""
        self.orders[order.id] = order
        self.accounts[order.account].orders.append(order)
        self.note(order)

    def note(self, order: Order) -> None:
        """Take notice that an order, and with it perhaps its account, has changed."""
        order.text = None
        if order.is_open:
            self.open[order.id] = order
        else:
            self.open.pop(order.id, None)
        self.changed_orders.add(order.id)
        self.changed_accounts.add(order.account)

    def finished(self, *, before: float, most: int) -> list[Order]:
        """Return orders that ended before a moment, in Unix seconds, and have been saved since."""
        found = (
            order
            for order in self.orders.values()
            if order.closed_at is not None
            and max(order.closed_at, order.hidden_until) < before
            and order.id not in self.changed_orders
        )
        return list(islice(found, most))

    def forget(self, orders: Sequence[Order]) -> None:
        """Let go of orders, for the archive has them."""
        for order in orders:
            del self.orders[order.id]
        for name in {order.account for order in orders}:
            account = self.accounts[name]
            account.orders = [order for order in account.orders if order.id in self.orders]

    def account_of(self, order: Order) -> Account:
        """Return the account an order belongs to."""
        return self.accounts[order.account]
