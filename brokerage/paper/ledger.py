"""All orders, whether they are in the books or in the archive; for a moment they are in both."""

import json
from collections.abc import Collection, Iterator
from heapq import merge, nlargest
from itertools import islice
from operator import itemgetter

from brokerage.paper.books import Account
from brokerage.paper.broker import Broker
from brokerage.paper.order_records import read_record
from brokerage.paper.orders import Order


def find(broker: Broker, order_id: int) -> Order | None:
    """Return an order."""
    order = broker.books.orders.get(order_id)
    if order is None and (found := broker.archive.find(order_id)):
        return _unpacked(*found)
    return order


def of_account(broker: Broker, account: Account) -> Iterator[Order]:
    """Go through the orders of an account, oldest first."""
    archived = (
        _unpacked(text, record)
        for order_id, text, record in broker.archive.of_account(account.hash)
        if order_id not in broker.books.orders
    )
    return merge(archived, account.orders, key=lambda order: order.id)


def listed(
    broker: Broker,
    accounts: Collection[Account],
    begin: float,
    end: float,
    *,
    status: str | None,
    most: int,
) -> Iterator[bytes]:
    """Write what lists show of the orders of some accounts, newest first.

    Args:
        begin, end: when they were entered, Unix seconds, both included.
        status: only those with it; None for all.
        most: of so many orders.
    """
    now = broker.now
    living = (
        (order.id, order)
        for account in accounts
        for order in account.orders
        if begin <= order.entered_at <= end
        and order.hidden_until <= now
        and status in (None, order.status)
    )
    newest = ((order_id, broker.order_text(order)) for order_id, order in nlargest(most, living))
    names = [account.hash for account in accounts]
    archived = (
        (order_id, text)
        for order_id, text in broker.archive.listed(names, begin, end, status=status, most=most)
        if order_id not in broker.books.orders
    )
    found = merge(newest, archived, key=itemgetter(0), reverse=True)
    return (text for _, text in islice(found, most))


def everything(broker: Broker) -> Iterator[tuple[str, bytes]]:
    """Go through the accounts and the JSON of all orders, oldest first."""
    living = (
        (order.id, order.account, broker.order_text(order))
        for order in broker.books.orders.values()
    )
    archived = (row for row in broker.archive.everything() if row[0] not in broker.books.orders)
    return ((account, text) for _, account, text in merge(archived, living, key=itemgetter(0)))


def _unpacked(text: bytes, record: bytes) -> Order:
    order = read_record(json.loads(record))
    order.text = text
    return order
