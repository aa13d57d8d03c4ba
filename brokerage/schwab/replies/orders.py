"""Orders as the broker shows them: whose, how far, and which fills."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokerage.errors import UnreadableReply
from brokerage.schwab.exchange import Reply
from brokerage.schwab.refusals import plain_words
from brokerage.schwab.replies import parsing
from brokerage.schwab.replies.parsing import Row

TERMINAL_STATUSES = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "REPLACED"})
# Part of a bracket, of which nothing is at the exchange before its parent fills.
DORMANT = "AWAITING_PARENT_ORDER"


@dataclass(frozen=True, slots=True)
class BrokerLeg:
    leg_id: int
    symbol: str
    instruction: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BrokerFill:
    """One execution of one leg; `(activity_id, leg_id)` tells it from every other."""

    activity_id: str
    leg_id: int
    quantity: Decimal
    price: Decimal
    at: datetime | None


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One order.

    Args:
        status: raw; UNKNOWN where the broker gives none (the parent of an OCO).
        filled: units (spreads) filled; `remaining` is zero after a cancel, so never infer from it.
        raw: the broker's whole object, its numbers Decimal or int.
    """

    order_id: str
    account_number: str = field(repr=False)
    status: str
    status_description: str
    quantity: Decimal
    filled: Decimal
    remaining: Decimal
    price: Decimal | None
    order_type: str
    entered_at: datetime | None
    closed_at: datetime | None
    tag: str
    legs: tuple[BrokerLeg, ...]
    fills: tuple[BrokerFill, ...]
    raw: dict[str, Any] = field(repr=False)

    @property
    def is_terminal(self) -> bool:
        """Tell whether the broker is done with it; an unknown status is not."""
        return self.status in TERMINAL_STATUSES

    @property
    def is_dormant(self) -> bool:
        """Tell whether it waits for its parent to fill."""
        return self.status == DORMANT


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A list of orders and how much of it could be read.

    Args:
        rows: rows in the answer; as many as `maxResults` means that there may be more.
        unreadable: rows left out; while there are any, the list proves no absence.
    """

    orders: tuple[BrokerOrder, ...]
    rows: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class WorkingPage:
    """What of a list of orders is not over.

    Args:
        orders: the parts of brackets among them, those that wait for their parent too.
        rows: rows in the answer; as many as `maxResults` means that there may be more.
        unreadable: rows left out that may not be over.
    """

    orders: tuple[BrokerOrder, ...]
    rows: int
    unreadable: int


def read_orders(reply: Reply) -> OrderPage:
    """Read an order list; a row that makes no sense is counted, it does not hide the others."""
    found = parsing.listing(parsing.read_json(reply))
    orders = tuple(_readable(found))
    return OrderPage(orders, len(found), len(found) - len(orders))


def read_working_orders(reply: Reply) -> WorkingPage:
    """Read those of an order list that are not over; of a long list that is the smallest part."""
    found = parsing.listing(parsing.read_json(reply))
    orders: list[BrokerOrder] = []
    unreadable = 0
    for row in found:
        try:
            orders += () if _is_over(row) else _alive_parts(parsing.row(row))
        except UnreadableReply:
            unreadable += 1
    return WorkingPage(tuple(orders), len(found), unreadable)


def _is_over(raw: object) -> bool:
    """Tell whether neither this order nor one that it holds can trade any more.

    The parent of an OCO has no status, and one that triggers others is FILLED while they work.
    What makes no sense is not over.
    """
    if not isinstance(raw, dict):
        return False
    held = raw.get("childOrderStrategies") or []
    has_ended = str(raw.get("status")) in TERMINAL_STATUSES
    is_shell = raw.get("status") is None and bool(held)
    return (has_ended or is_shell) and isinstance(held, list) and all(map(_is_over, held))


def _alive_parts(raw: Row) -> Iterator[BrokerOrder]:
    """Yield an order and those it holds that are not over, each as entered with the whole."""
    order = _order(raw)
    if not order.is_terminal:
        yield order
    for held in parsing.rows(raw.get("childOrderStrategies")):
        if not _is_over(held):
            whose = {"accountNumber": raw.get("accountNumber"), **parsing.row(held)}
            for part in _alive_parts(whose):
                yield replace(part, entered_at=order.entered_at)


def _readable(rows: Iterable[object]) -> Iterator[BrokerOrder]:
    for row in rows:
        try:
            yield _order(parsing.row(row))
        except UnreadableReply:
            continue


def read_order(reply: Reply) -> BrokerOrder:
    """Read the answer to a read by id; one client has met it wrapped in a list."""
    found = parsing.read_json(reply)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return _order(parsing.row(found))


def _order(raw: Row) -> BrokerOrder:
    order_id = parsing.text(raw.get("orderId"))
    if not (order_id.isascii() and order_id.isdigit() and int(order_id)):
        raise UnreadableReply("The broker shows an order without an id")
    return BrokerOrder(
        order_id=order_id,
        account_number=parsing.text(raw.get("accountNumber")),
        status=parsing.text(raw.get("status")) or "UNKNOWN",
        status_description=plain_words(parsing.text(raw.get("statusDescription"))),
        quantity=parsing.quantity(raw.get("quantity")),
        filled=parsing.quantity(raw.get("filledQuantity")),
        remaining=parsing.quantity(raw.get("remainingQuantity")),
        price=parsing.number(raw.get("price")),
        order_type=parsing.text(raw.get("orderType")),
        entered_at=parsing.moment(raw.get("enteredTime")),
        closed_at=parsing.moment(raw.get("closeTime")),
        tag=parsing.text(raw.get("tag")),
        legs=tuple(_leg(parsing.row(leg)) for leg in parsing.rows(raw.get("orderLegCollection"))),
        fills=tuple(_fills(raw)),
        raw=dict(raw),
    )


def _leg(raw: Row) -> BrokerLeg:
    instrument = parsing.row(raw.get("instrument") or {})
    return BrokerLeg(
        leg_id=parsing.whole(raw.get("legId")),
        symbol=parsing.text(instrument.get("symbol")),
        instruction=parsing.text(raw.get("instruction")),
        quantity=parsing.quantity(raw.get("quantity")),
    )


def _fills(raw: Row) -> Iterator[BrokerFill]:
    """Yield executions, leaving out cancels and replaces, which come as some at price zero."""
    for activity in map(parsing.row, parsing.rows(raw.get("orderActivityCollection"))):
        if activity.get("executionType") != "FILL":
            continue
        for leg in map(parsing.row, parsing.rows(activity.get("executionLegs"))):
            price = parsing.number(leg.get("price"))
            if price is None or activity.get("activityId") is None:
                raise UnreadableReply("The broker shows a fill without a price or an id")
            yield BrokerFill(
                activity_id=parsing.text(activity["activityId"]),
                leg_id=parsing.whole(leg.get("legId")),
                quantity=parsing.quantity(leg.get("quantity")),
                price=price,
                at=parsing.moment(leg.get("time")),
            )
