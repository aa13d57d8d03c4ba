"""What happened, from three witnesses: the broker's orders, its journal, the product's database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from brokerage.schwab.fingerprint import fingerprint
from tests.faults.database import Database, key, moment
from tests.faults.holdings import Deal, Reset, deals_of
from tests.support.stack import Program

OURS = "TA_"
CHILDREN = """
    SELECT c.id, c.order_id, a.hash_value, c.status, c.needs_agent, c.broker_order_id,
        c.fingerprint, c.deadline_at
    FROM orders_accountorder c JOIN accounts_account a ON a.id = c.account_id"""
EVENTS = """
    SELECT at, subject, old, new FROM accounts_auditevent WHERE kind = 'status' ORDER BY id"""


@dataclass(frozen=True)
class Post:
    """A request to place an order, as it arrived at the broker."""

    at: float
    account: str
    order_id: str | None


@dataclass(frozen=True)
class BrokerOrder:
    """An order that exists at the broker."""

    id: str
    account: str
    fingerprint: str
    tag: str
    status: str
    words: str = ""


@dataclass(frozen=True)
class Step:
    """A change of status on record."""

    at: float
    old: str
    new: str


@dataclass(frozen=True)
class Child:
    """An account order, with its steps as they were recorded."""

    id: UUID
    order: int
    account: str
    status: str
    needs_agent: bool
    broker_order_id: str | None
    fingerprint: str
    deadline_at: float
    steps: list[Step] = field(default_factory=list)

    @property
    def claims(self) -> list[float]:
        """When it was taken for sending."""
        return [step.at for step in self.steps if step.new == "SUBMITTING"]

    @property
    def is_settled(self) -> bool:
        """Whether the machine has done what it can."""
        return self.status not in {"READY", "SUBMITTING", "UNKNOWN"} or self.needs_agent


@dataclass(frozen=True)
class Truth:
    """Everything at one moment; `orders` was read before `children`, and `later` after it."""

    orders: list[BrokerOrder]
    posts: list[Post]
    children: list[Child]
    later: set[tuple[str, str]]
    deals: list[Deal] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)

    def of(self, orders: Collection[int]) -> "Truth":
        """Return what concerns the accounts of these orders."""
        names = {child.account for child in self.children if child.order in orders}
        return Truth(
            [one for one in self.orders if one.account in names],
            [one for one in self.posts if one.account in names],
            [one for one in self.children if one.account in names],
            self.later,
            [one for one in self.deals if one.account in names],
            [one for one in self.resets if one.account in names],
        )


class Witness:
    """Hears all three; call `listen` more often than the broker's journal forgets.

    Attributes:
        by_hand: numbers of orders that do not count, because a test made them.
        resets: positions that a test has set and goes on to set.
    """

    def __init__(self, program: Program, database: Database, resets: Sequence[Reset] = ()) -> None:
        self._program = program
        self._database = database
        self._seen = 0
        self._posts: list[Post] = []
        self.by_hand: set[str] = set()
        self.resets = resets

    def listen(self) -> None:
        """Read what the journal has to say since the last time."""
        rows = self._program.paper(f"journal?since={self._seen}")
        self._seen = rows[-1]["seq"] if rows else self._seen
        self._posts += [
            Post(row["at"], row["account"], row["order_id"] if row["placed"] else None)
            for row in rows
            if row["method"] == "POST" and row["path"].endswith("/orders")
        ]

    def tell(self) -> Truth:
        """Read everything."""
        before = self._orders()
        self.listen()
        children = self._children()
        shown = self._program.paper("orders")
        later = {(one["account"], str(one["orderId"])) for one in shown}
        deals = [
            deal
            for one in shown
            for deal in deals_of(one, is_ours=str(one.get("tag")).startswith(OURS))
        ]
        posts = sorted(self._posts, key=lambda post: post.at)
        return Truth(before, posts, children, later, deals, list(self.resets))

    def _orders(self) -> list[BrokerOrder]:
        return [
            _order(one)
            for one in self._program.paper("orders")
            if str(one["orderId"]) not in self.by_hand
        ]

    def _children(self) -> list[Child]:
        steps: dict[str, list[Step]] = {}
        rows, events = self._database.at_once(CHILDREN, EVENTS)
        for row in events:
            step = Step(moment(row["at"]), row["old"], row["new"])
            steps.setdefault(row["subject"], []).append(step)
        return [_child(row, steps.get(f"accountorder:{key(row['id'])}", [])) for row in rows]


def _order(shown: dict[str, Any]) -> BrokerOrder:
    return BrokerOrder(
        id=str(shown["orderId"]),
        account=shown["account"],
        fingerprint=fingerprint(shown),
        tag=str(shown.get("tag") or ""),
        status=shown["status"],
        words=str(shown.get("statusDescription") or ""),
    )


def _child(row: dict[str, Any], steps: list[Step]) -> Child:
    return Child(
        id=key(row["id"]),
        order=row["order_id"],
        account=row["hash_value"],
        status=row["status"],
        needs_agent=bool(row["needs_agent"]),
        broker_order_id=row["broker_order_id"],
        fingerprint=row["fingerprint"],
        deadline_at=moment(row["deadline_at"]),
        steps=steps,
    )
