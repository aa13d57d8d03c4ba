"""Lists of orders that must be whole: one as long as may be is asked for again in two halves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from brokerage.errors import UnreadableReply
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Reply
from brokerage.schwab.replies import BrokerOrder, read_orders

# Orders live for 180 days at most; a list of all accounts reaches back 60.
LONGEST_WINDOW = timedelta(days=59)
SHORTEST_WINDOW = timedelta(seconds=2)


class TooMany(UnreadableReply):
    """A list is as long as it may be: there may be more orders than it shows."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A list of a login's orders entered between two moments."""

    login_id: UUID
    since: datetime
    until: datetime

    def request(self) -> ApiRequest:
        """Return what goes to the broker."""
        return messages.orders(self.since, self.until)

    def halves(self) -> list["Ask"]:
        """Return two lists for one, the moment between them in both; none if it is too short."""
        if self.until - self.since <= SHORTEST_WINDOW:
            return []
        middle = self.since + (self.until - self.since) / 2
        return [Ask(self.login_id, self.since, middle), Ask(self.login_id, middle, self.until)]


def is_full(rows: int) -> bool:
    """Tell whether a list has so many rows that there may be more."""
    return rows >= messages.MOST_ROWS


def check_whole(rows: int) -> None:
    """Raise TooMany for a list that is full."""
    if is_full(rows):
        raise TooMany(f"A list of orders ends after {messages.MOST_ROWS} rows")


def read_whole(reply: Reply) -> Sequence[BrokerOrder]:
    """Return all orders of a list. Errors: BrokerError for one that may leave something out."""
    page = read_orders(reply)
    check_whole(page.rows)
    if page.unreadable:
        raise UnreadableReply(f"{page.unreadable} of {page.rows} orders in a list are unreadable")
    return page.orders
