"""Questions about working orders, one list per login where it serves, and what answers show."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest
from brokerage.schwab.replies import BrokerOrder
from orders.domain.lifecycle import Purpose, Status
from orders.models import AccountOrder
from orders.services.whole_lists import LONGEST_WINDOW
from strategies.domain.tickets import Strategy

# The broker's clock may be behind ours, and enteredTime has whole seconds.
MARGIN = timedelta(seconds=60)
SHORTEST_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Watched:
    """A working order to be read.

    Args:
        is_new: nobody has read it yet, so whether the number is right is still to be seen.
    """

    child_id: UUID
    order_id: int
    login_id: UUID
    account_hash: str
    broker_order_id: str
    is_new: bool
    sent_at: datetime
    token_version: int
    payer: str
    is_stock: bool
    is_closing: bool


Reading = tuple[Watched, BrokerOrder]


@dataclass(frozen=True, slots=True)
class Question:
    """What a login is asked: one order by its number, or the list of a stretch of time."""

    orders: tuple[Watched, ...]
    since: datetime | None = None
    until: datetime | None = None

    @property
    def login_id(self) -> UUID:
        return self.orders[0].login_id

    @property
    def is_list(self) -> bool:
        return self.since is not None

    def request(self) -> ApiRequest:
        """Return what goes to the broker."""
        if self.since is None or self.until is None:
            (order,) = self.orders
            return messages.get_order(order.account_hash, order.broker_order_id)
        return messages.orders(self.since, self.until)

    def halves(self) -> "list[Question]":
        """Return two lists for one that was full, each with the orders that belong there."""
        if self.since is None or self.until is None or self.until - self.since < SHORTEST_WINDOW:
            return [by_number(order) for order in self.orders]
        middle = self.since + (self.until - self.since) / 2
        early = tuple(order for order in self.orders if order.sent_at < middle)
        late = tuple(order for order in self.orders if order.sent_at >= middle)
        halves = [
            replace(self, orders=early, until=middle + MARGIN),
            replace(self, orders=late, since=middle - MARGIN),
        ]
        return [half for half in halves if half.orders]


@dataclass(slots=True)
class Polled:
    """What one beat did.

    Args:
        watched: working orders that it is about.
        logins: whose orders these are; of them `asked` were asked, `read` answered, `put_off` had
            no request left to spend, `waiting` have not answered yet.
        calls: requests made.
        rows: orders that the answers held.
        silent: why a login told nothing, or not all, by login.
        refused_tokens: the token version that was refused, by login.
    """

    watched: int = 0
    logins: set[UUID] = field(default_factory=set)
    asked: set[UUID] = field(default_factory=set)
    read: set[UUID] = field(default_factory=set)
    put_off: set[UUID] = field(default_factory=set)
    waiting: set[UUID] = field(default_factory=set)
    calls: int = 0
    changed: int = 0
    rows: int = 0
    silent: dict[UUID, str] = field(default_factory=dict)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)

    @property
    def finished(self) -> set[UUID]:
        """Return the logins of which no answer is on its way any more."""
        return self.asked - self.waiting

    def since(self, followed: "Polled") -> "Polled":
        """Return what is new since it was followed last, and note that it is followed now."""
        news = replace(
            self,
            asked=set(self.asked),
            waiting=set(self.waiting),
            put_off=self.put_off - followed.put_off,
            changed=self.changed - followed.changed,
            refused_tokens={
                pk: version
                for pk, version in self.refused_tokens.items()
                if pk not in followed.refused_tokens
            },
        )
        followed.changed = self.changed
        followed.put_off |= self.put_off
        followed.refused_tokens |= self.refused_tokens
        return news

    @property
    def silent_logins(self) -> list[str]:
        """Return why logins told nothing."""
        return list(self.silent.values())


def working_orders() -> QuerySet[AccountOrder]:
    """Return the orders that the broker has, as far as it is known, and may still change."""
    return AccountOrder.objects.filter(
        status=Status.WORKING,
        broker_order_id__isnull=False,
        account__login__environment=settings.ENVIRONMENT,
    )


def watch(rows: QuerySet[AccountOrder]) -> list[Watched]:
    """Return what must be known to read these orders, in grid order, in one query."""
    found = rows.order_by("account__position").values_list(
        "pk",
        "order_id",
        "account__login_id",
        "account__hash_value",
        "broker_order_id",
        "broker_status",
        "sent_at",
        "created_at",
        "account__login__token__version",
        "account__login__app_key_index",
        "order__strategy",
        "purpose",
    )
    return [
        Watched(
            *row[:4],
            broker_order_id=row[4] or "",
            is_new=not row[5],
            sent_at=row[6] or row[7],
            token_version=row[8] or 0,
            payer=row[9],
            is_stock=row[10] == Strategy.EQUITY,
            is_closing=row[11] == Purpose.CLOSE,
        )
        for row in found
    ]


def questions_about(
    watched: Iterable[Watched], now: datetime, *, alone_by_number: bool = False
) -> list[Question]:
    """Return the fewest questions that read these orders; logins stay in their order.

    A list shows a new order as well as its number does, so several of one login share one. A new
    one by itself is read by its number, and so is one that was entered before any list begins.

    Args:
        alone_by_number: read by its number every order that is the only one of its login.
    """
    by_login: dict[UUID, list[Watched]] = defaultdict(list)
    for order in watched:
        by_login[order.login_id].append(order)
    groups = by_login.values()
    return [question for group in groups for question in _questions(group, now, alone_by_number)]


def by_number(order: Watched) -> Question:
    """Return the question about one order by its number."""
    return Question((order,))


def _questions(group: Sequence[Watched], now: datetime, by_itself: bool) -> Iterator[Question]:
    oldest = now - LONGEST_WINDOW
    listed = tuple(order for order in group if order.sent_at - MARGIN >= oldest)
    if len(listed) == 1 and (by_itself or listed[0].is_new):
        yield by_number(listed[0])
    elif listed:
        since = min(order.sent_at for order in listed) - MARGIN
        yield Question(listed, max(since, oldest), now + MARGIN)
    yield from (by_number(order) for order in group if order not in listed)
