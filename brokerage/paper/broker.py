"""The paper broker as a whole: market, books, logins, journal and faults, without a socket."""

import time
from decimal import Decimal
from typing import Any

from brokerage.paper import order_view
from brokerage.paper.archive import Archive
from brokerage.paper.books import Books
from brokerage.paper.faults import Faults
from brokerage.paper.instruments import Instruments
from brokerage.paper.journal import Journal
from brokerage.paper.login_flow import LoginSite
from brokerage.paper.market import Market
from brokerage.paper.oauth import OAuth
from brokerage.paper.orders import Order
from brokerage.paper.seed import SeedOptions, make_accounts, make_logins
from brokerage.paper.settlement import begin_day, settle_expired
from brokerage.paper.stream import Streams
from brokerage.paper.trading import AUTO, Trading


class Broker:
    """Everything the paper broker knows.

    Args:
        options: how it begins, and what a reset goes back to.
        hours: `always` or `nyse`.

    Attributes:
        archive: the orders that are over, as far as they left the books.
        is_changed: whether its settings have changed since they were saved.
        offset_s: by how much its clock is ahead of the real one.
    """

    def __init__(self, options: SeedOptions, *, hours: str = "always") -> None:
        self.options = options
        self.journal = Journal()
        self.faults = Faults(seed=options.seed)
        self.oauth = OAuth()
        for login in make_logins(options):
            self.oauth.add_login(login)
        self.login_site = LoginSite(self.oauth.logins)
        self.streams = Streams(self)
        self.is_changed = False
        self.offset_s = 0.0
        self.archive = Archive()
        self._hours = hours
        self._open_books(Books(now=self.now))

    @property
    def now(self) -> float:
        """Unix seconds by the broker's clock."""
        return time.time() + self.offset_s

    def step(self) -> None:
        """Let the market go on, and look at every open order."""
        now = self.now
        yesterday = self.market.today
        self.market.advance(now)
        if self.market.today != yesterday:
            settle_expired(self.books, self.market)
            begin_day(self.books, self.market)
        self.trading.step(now=now)

    def reset(self) -> None:
        """Go back to the seed; ids and journal numbers go on, and nobody is signed out."""
        old, self.offset_s = self.books, 0.0
        books = Books(now=self.now)
        books.last_order_id, books.last_activity_id = old.last_order_id, old.last_activity_id
        self._open_books(books)
        self.faults.clear()
        self.journal.clear()
        self.oauth.rotating.clear()
        self.login_site.forget()
        self.is_changed = True

    def order_text(self, order: Order) -> bytes:
        """Write an order as JSON."""
        number = self.books.account_of(order).number
        return order_view.order_text(order, number, self.instruments)

    def order_json(self, order: Order) -> dict[str, Any]:
        """Write an order as a value."""
        number = self.books.account_of(order).number
        return order_view.order_json(order, number, self.instruments)

    def tag_of(self, user: str) -> str:
        """Return the tag of orders that come in through the API by this user's login."""
        return f"TA_{user.upper()}{sum(user.encode()) * 7919:010d}"

    def set_prices(self, prices: dict[str, Decimal]) -> None:
        """Move underlyings, and let the market look at the orders."""
        self.market.set_prices(prices)
        self.trading.step(now=self.now)

    def _open_books(self, books: Books) -> None:
        self.books = books
        self.archive.open(books.name)
        for account in make_accounts(self.options):
            books.add_account(account)
        self.market = Market(seed=self.options.seed, now=self.now)
        self.market.hours = self._hours
        self.instruments = Instruments(self.market.instrument)
        self.trading = Trading(books, self.market, self.instruments, tell=self.streams.tell)
        self.trading.fills = AUTO
