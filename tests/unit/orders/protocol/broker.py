"""A broker that tells the truth to the test and as little as it likes to the product."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from brokerage.schwab.exchange import Reply
from tests.unit.orders.protocol.trades import ACCOUNT_HASH, Trade

OUR_TAG, HAND_TAG, OTHER_APP_TAG = "TA_ours", "API_TOS:web", "TA_another"
OTHER_ACCOUNT = ACCOUNT_HASH[::-1]
NOBODYS_NUMBER = 999_999
# A read by id shows an order sooner than a list does, and yet not always at once.
LONGEST_HIDDEN_BY_ID = timedelta(seconds=8)


class Answer(StrEnum):
    """What the broker says to a placing; `places` beside it is what it does."""

    CREATED = "CREATED"
    NO_LOCATION = "NO_LOCATION"
    OTHER_ORDER = "OTHER_ORDER"
    NO_ORDER = "NO_ORDER"
    OTHER_ACCOUNT = "OTHER_ACCOUNT"
    SERVER_ERROR = "SERVER_ERROR"
    HIDDEN_SERVER_ERROR = "HIDDEN_SERVER_ERROR"
    HTML = "HTML"
    SILENCE = "SILENCE"
    DROPPED = "DROPPED"
    REFUSED = "REFUSED"
    UNAUTHORIZED = "UNAUTHORIZED"
    THROTTLED = "THROTTLED"
    NO_CONNECTION = "NO_CONNECTION"


class Deed(NamedTuple):
    answer: Answer
    places: bool


CLEAR_NO = {Answer.REFUSED, Answer.UNAUTHORIZED, Answer.THROTTLED, Answer.NO_CONNECTION}
CREATIONS = {
    Answer.CREATED,
    Answer.NO_LOCATION,
    Answer.OTHER_ORDER,
    Answer.NO_ORDER,
    Answer.OTHER_ACCOUNT,
}
# Everything that neither creates nor clearly refuses happens with the order placed and without.
DEEDS = [
    Deed(answer, places)
    for answer in Answer
    for places in (True, False)
    if not (places and answer in CLEAR_NO) and not (answer in CREATIONS and not places)
]
GOOD = Deed(Answer.CREATED, places=True)
BODIES: dict[Answer, tuple[int, Any]] = {
    Answer.SERVER_ERROR: (500, {"message": "Internal Server Error"}),
    Answer.HIDDEN_SERVER_ERROR: (400, {"message": "No", "errors": [{"id": "1", "status": 500}]}),
    Answer.HTML: (403, "<html>Access Denied</html>"),
    Answer.REFUSED: (400, {"message": "Quantity must be positive", "errors": []}),
    Answer.UNAUTHORIZED: (401, {"errors": [{"title": "Unauthorized", "detail": "Token"}]}),
    Answer.THROTTLED: (429, {"message": "Too many requests"}),
}


@dataclass(frozen=True)
class Plan:
    """What will become of a request.

    Args:
        arrives_in: seconds on the way.
        hidden: seconds until lists show the order.
        names: chooses the order that a wrong `Location` names; -2 is the last one entered.
    """

    deed: Deed
    arrives_in: float = 0
    hidden: float = 0
    names: int = 0

    @property
    def answer(self) -> Answer:
        return self.deed.answer


@dataclass(eq=False)
class Order:
    """An order at the broker; `maker` is the account order whose request made it, if one did."""

    number: int
    trade: Trade
    tag: str
    entered_at: datetime
    visible_at: datetime
    readable_at: datetime
    maker: UUID | None = None
    status: str = "WORKING"

    def as_json(self) -> dict[str, Any]:
        return {
            **self.trade.as_shown(),
            "orderId": self.number,
            "status": self.status,
            "tag": self.tag,
            "enteredTime": self.entered_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }


@dataclass(frozen=True)
class Listed:
    """What a list showed, and whether it showed everything there was to see."""

    asked_at: datetime
    is_whole: bool
    numbers: frozenset[int]


@dataclass
class Broker:
    """The orders of one account; `ahead` is how far its clock is before ours."""

    ahead: timedelta = timedelta()
    orders: list[Order] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1001))

    def enter(
        self, trade: Trade, tag: str, *, now: datetime, hidden: float = 0, maker: UUID | None = None
    ) -> Order:
        """Take an order; whoever sends it."""
        seconds = timedelta(seconds=hidden)
        order = Order(
            number=next(self._numbers),
            trade=trade,
            tag=tag,
            entered_at=(now + self.ahead).replace(microsecond=0),
            visible_at=now + seconds,
            readable_at=now + min(seconds, LONGEST_HIDDEN_BY_ID),
            maker=maker,
        )
        self.orders.append(order)
        return order

    def answer(
        self, plan: Plan, trade: Trade, maker: UUID, *, namable: Sequence[int], now: datetime
    ) -> Reply | None:
        """Do what is planned with a request that arrived; None is a connection without answer.

        Args:
            namable: the numbers that a wrong `Location` may name.
        """
        placed = None
        if plan.deed.places:
            placed = self.enter(trade, OUR_TAG, now=now, hidden=plan.hidden, maker=maker)
        match plan.answer:
            case Answer.CREATED if placed:
                return _created(ACCOUNT_HASH, placed.number)
            case Answer.OTHER_ACCOUNT if placed:
                return _created(OTHER_ACCOUNT, placed.number)
            case Answer.OTHER_ORDER if placed:
                numbers = [*namable, NOBODYS_NUMBER]
                return _created(ACCOUNT_HASH, numbers[plan.names % len(numbers)])
            case Answer.NO_ORDER:
                return _created(ACCOUNT_HASH, NOBODYS_NUMBER)
            case Answer.NO_LOCATION:
                return Reply(201, {}, b"")
            case Answer.SILENCE | Answer.DROPPED:
                return None
        status, body = BODIES[plan.answer]
        return Reply(status, {}, body.encode() if status == 403 else json.dumps(body).encode())

    def show(self, *, now: datetime, whole: bool = True) -> Reply:
        """Show what is visible; a list that is not whole lacks rows and has one beyond reading."""
        visible = [order for order in self.orders if order.visible_at <= now]
        numbers = frozenset(order.number for order in visible)
        self.lists.append(Listed(now, whole, numbers if whole else frozenset()))
        shown = visible if whole else visible[1::2]
        rows: list[dict[str, Any]] = [order.as_json() for order in shown]
        if not whole:
            rows.append({"status": "WORKING"})
        return Reply(200, {"date": self._date(now)}, json.dumps(rows).encode())

    def read(self, number: str, *, now: datetime) -> Reply:
        """Show one order; 404 while it cannot be read yet."""
        for order in self.orders:
            if str(order.number) == number and order.readable_at <= now:
                return Reply(200, {"date": self._date(now)}, json.dumps(order.as_json()).encode())
        return Reply(404, {}, json.dumps({"message": "Order not found"}).encode())

    def made_by(self, maker: UUID) -> list[Order]:
        """Return the orders that an account order's requests made; one is how it should be."""
        return [order for order in self.orders if order.maker == maker]

    def number(self, name: str) -> Order | None:
        return next((order for order in self.orders if str(order.number) == name), None)

    def _date(self, now: datetime) -> str:
        return format_datetime((now + self.ahead).replace(microsecond=0), usegmt=True)


def _created(account_hash: str, number: int) -> Reply:
    where = f"https://api.schwabapi.com/trader/v1/accounts/{account_hash}/orders/{number}"
    return Reply(201, {"location": where}, b"")
