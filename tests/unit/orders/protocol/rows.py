"""The table of account orders in memory: one door for steps, and the database's constraints."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from orders.domain.lifecycle import Reason, Status, check_step
from tests.unit.orders.protocol.rules import Rules
from tests.unit.orders.protocol.trades import Trade


class Conflict(Exception):
    """A constraint of the database forbids it; the transaction is undone."""


@dataclass(frozen=True)
class Row:
    """An account order, as far as the protocol needs it."""

    pk: UUID
    trade: Trade
    deadline_at: datetime
    status: Status = Status.READY
    reason_code: Reason | None = None
    needs_agent: bool = False
    broker_order_id: str | None = None
    broker_status: str = ""
    claimed_at: datetime | None = None
    sends: int = 0
    not_before: datetime | None = None
    sent_at: datetime | None = None
    looked_at: datetime | None = None
    clean_reads: int = 0
    ruled_out: frozenset[str] = frozenset()


@dataclass
class Rows:
    """Rows of one account, who changed how, and the orders of nobody with their fingerprints."""

    rules: Rules
    rows: dict[UUID, Row] = field(default_factory=dict)
    externals: dict[str, str] = field(default_factory=dict)
    alarms: set[UUID] = field(default_factory=set)
    trail: list[tuple[UUID, Status, Status]] = field(default_factory=list)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Undo everything if a constraint is violated."""
        before = dict(self.rows), dict(self.externals), set(self.alarms), list(self.trail)
        try:
            yield
        except Conflict:
            self.rows, self.externals, self.alarms, self.trail = before
            raise

    def put(self, pk: UUID, **values: Any) -> None:
        """Write columns of a row and check the constraints."""
        row = replace(self.rows[pk], **values)
        for other in self.rows.values():
            if other.pk == pk:
                continue
            if row.broker_order_id and row.broker_order_id == other.broker_order_id:
                raise Conflict("one_owner_per_broker_order")
            if other.trade == row.trade and self._unresolved(other) and self._unresolved(row):
                raise Conflict("one_unresolved_twin")
        self.rows[pk] = row

    def step(self, pk: UUID, to: Status, out_of: Collection[Status], **values: Any) -> bool:
        """Take a legal step if the row still stands where the caller believes."""
        for old in out_of:
            check_step(old, to)
        old = self.rows[pk].status
        if old not in out_of:
            return False
        self.put(pk, status=to, **values)
        self.trail.append((pk, old, to))
        return True

    def has_unresolved_twin(self, row: Row) -> bool:
        twins = (other for other in self.rows.values() if other.trade == row.trade)
        return any(self._unresolved(twin) and twin.pk != row.pk for twin in twins)

    def standing(self, *statuses: Status) -> list[Row]:
        return [row for row in self.rows.values() if row.status in statuses]

    def owner_of(self, number: str | None) -> Row | None:
        if number is None:
            return None
        return next((row for row in self.rows.values() if row.broker_order_id == number), None)

    def _unresolved(self, row: Row) -> bool:
        return self.rules.is_unresolved(row.status)
