"""What tests of the broadcast look at: the wire, the record, and single children."""

import json
import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.limits import LimitName
from accounts.models import AuditEvent
from accounts.services.limits import set_limit
from brokerage.schwab.exchange import Reply
from brokerage.schwab.replies import BrokerOrder, read_order
from orders.domain.errors import GuardRefused
from orders.models import AccountOrder, ComplexOrder
from strategies.domain.tickets import Ticket
from tests.support.fleet import Fleet
from tests.support.paper import PaperBroker

ORDERS = re.compile(r"/trader/v1/accounts/[0-9A-F]+/orders")
ORDER_READS = re.compile(r"/trader/v1/(accounts/[0-9A-F]+/)?orders(/[0-9]+)?")


class Wire:
    """What the paper broker heard since this was made."""

    def __init__(self, broker: PaperBroker) -> None:
        self._broker = broker
        rows = broker.journal()
        self._since = rows[-1]["seq"] if rows else 0

    def rows(self, method: str, path: re.Pattern[str]) -> list[Any]:
        """The journal's rows of requests like these."""
        rows = self._broker.journal(self._since)
        return [row for row in rows if row["method"] == method and path.fullmatch(row["path"])]

    @property
    def posts(self) -> list[str]:
        """The accounts' hashes of every order that arrived, in the order of arrival."""
        return [row["account"] for row in self.rows("POST", ORDERS)]

    @property
    def posted_at(self) -> list[float]:
        """When each order arrived, Unix seconds."""
        return [row["at"] for row in self.rows("POST", ORDERS)]

    @property
    def reads(self) -> list[str]:
        """The paths of every read of orders."""
        return [row["path"] for row in self.rows("GET", ORDER_READS)]

    @property
    def renewals(self) -> int:
        """How often a token was asked for."""
        return len(self.rows("POST", re.compile("/v1/oauth/token")))


def trail(child: AccountOrder) -> list[tuple[str, str]]:
    """Return the status steps of an account order, as they were recorded."""
    rows = AuditEvent.objects.filter(subject=f"accountorder:{child.pk}", kind="status")
    return list(rows.order_by("id").values_list("old", "new"))


def figures(child: AccountOrder) -> tuple[str, int, int]:
    """Return status, filled and remaining."""
    return child.status, int(child.filled), int(child.remaining)


def force(*children: AccountOrder | UUID, **values: Any) -> None:
    """Write columns behind everybody's back, to begin a test in the middle of a life."""
    ids = [one.pk if isinstance(one, AccountOrder) else one for one in children]
    assert AccountOrder.objects.filter(pk__in=ids).update(**values) == len(ids)


def seconds_from_now(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def statements(work: Callable[[], object]) -> int:
    """Count the statements that this takes, savepoints aside."""
    with CaptureQueriesContext(connection) as caught:
        work()
    return sum("SAVEPOINT" not in row["sql"] for row in caught.captured_queries)


def is_sentence(words: str) -> bool:
    """Whether words are for people: several, beginning with a capital or a number."""
    return len(words.split()) >= 2 and (words[0].isupper() or words[0].isdigit())


def only(fleet: Fleet, order: ComplexOrder) -> AccountOrder:
    """Return the one account order of a broadcast to one account."""
    (child,) = fleet.children(order)
    return child


def one(fleet: Fleet, ticket: Ticket) -> tuple[ComplexOrder, AccountOrder]:
    """Broadcast to the first account alone; return parent and child."""
    order = fleet.broadcast(ticket, accounts=fleet.accounts[:1])
    return order, only(fleet, order)


def rests(fleet: Fleet, **more: Any) -> Ticket:
    """Shares at a price at which nobody sells."""
    return fleet.shares(limit=Decimal("0.50"), **more)


def shown_by(fleet: Fleet, child: AccountOrder) -> BrokerOrder:
    """What the broker shows of an order now, to be applied later."""
    return reading(raw_of(fleet, child))


def reading(raw: dict[str, Any]) -> BrokerOrder:
    """Read an order object as the broker's answer to a read by id."""
    return read_order(Reply(200, {}, json.dumps(raw).encode()))


def raw_of(fleet: Fleet, child: AccountOrder) -> dict[str, Any]:
    """Return the broker's own object of an order."""
    return next(o for o in fleet.broker.orders() if str(o["orderId"]) == child.broker_order_id)


def hit(fleet: Fleet, fault: str, *, index: int = 0, **more: Any) -> None:
    """Let the next order of one account suffer a fault."""
    account = fleet.accounts[index].hash_value
    fleet.broker.fault(fault, method="POST", path="/orders", account=account, **more)


def refused(
    fleet: Fleet, ticket: Ticket, *, confirm: Collection[str] = (), **more: Any
) -> dict[str, str]:
    """Let a click be refused; return code and words of every objection."""
    before = ComplexOrder.objects.count(), AuditEvent.objects.count()
    with pytest.raises(GuardRefused) as error:
        fleet.create(ticket, confirm=confirm, **more)
    assert (ComplexOrder.objects.count(), AuditEvent.objects.count()) == before
    return {problem.code: problem.message for problem in error.value.problems}


def limit(name: str, value: int) -> None:
    """Change a guard's limit, as an admin does."""
    set_limit(name=LimitName(name), value=Decimal(value), actor="admin", now=timezone.now())
