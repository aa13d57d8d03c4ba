"""The whole ledger in memory: what services/{seeking,settling,applying,deciding} do comes here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from brokerage.errors import BrokerError, Refused
from brokerage.schwab.exchange import Reply
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.replies import BrokerOrder, read_order, read_orders
from orders.domain.lifecycle import UNRESOLVED, Reason, Status, status_of_broker
from orders.domain.matching import OUR_TAG, Finding, Match, Seen
from tests.unit.orders.protocol.ledger import GIVEN_UP, Sending
from tests.unit.orders.protocol.rows import Conflict, Row
from tests.unit.orders.protocol.rules import LOOK_EVERY, QUIET, READY_FOR

ABSENT_EVERY = timedelta(seconds=60)
UNSEEN_FOR = timedelta(seconds=5)


@dataclass(frozen=True)
class Sought:
    """An order that a look looks for, as it stood when the look began."""

    child_id: UUID
    status: Status
    fingerprint: str
    claimed_at: datetime
    ruled_out: frozenset[str]


class MemoryLedger(Sending):
    """Account orders of one account, from the click to their end."""

    def take_due(self, now: datetime) -> list[Sought]:
        """Return the orders to look for now; none of them is due again for a while."""
        due = [row for row in self.rows.values() if row.claimed_at and self._is_due(row, now)]
        for row in due:
            self.put(row.pk, looked_at=now)
        sought = [
            Sought(row.pk, row.status, row.trade.fingerprint, row.claimed_at, row.ruled_out)
            for row in due
            if row.claimed_at is not None
        ]
        return sorted(sought, key=lambda one: one.claimed_at)

    def _is_due(self, row: Row, now: datetime) -> bool:
        if row.status == Status.UNKNOWN:
            return row.looked_at is None or row.looked_at <= now - LOOK_EVERY
        is_absent = row.status == Status.FAILED_TO_PLACE and row.reason_code in GIVEN_UP
        under_way = self.standing(Status.READY, *UNRESOLVED)
        if not is_absent or any(other.trade == row.trade for other in under_way):
            return False
        return row.looked_at is None or row.looked_at <= now - ABSENT_EVERY

    def settle(
        self,
        sought: Sequence[Sought],
        reply: Reply,
        *,
        asked_at: datetime,
        answered_at: datetime,
    ) -> None:
        """Settle by what one list shows, if it is whole."""
        try:
            page = read_orders(reply)
        except BrokerError:
            return
        if not sought or not self.rules.is_whole(page):
            return
        ahead = parsedate_to_datetime(reply.headers["date"]) - answered_at
        shown = {order.order_id: order for order in page.orders}
        seen = [
            Seen(order.order_id, fingerprint(order.raw), order.tag, order.entered_at)
            for order in page.orders
        ]
        try:
            with self.transaction():
                for one in sought:
                    found = self._match(one, ahead, seen)
                    if found.finding != Finding.NOTHING or not self._is_held(one, seen):
                        self._settle_one(one, found, asked_at)
        except Conflict:
            return
        for one in sought:
            number = self.rows[one.child_id].broker_order_id
            if number in shown:
                self._apply(one.child_id, shown[number])

    def _is_held(self, one: Sought, seen: Sequence[Seen]) -> bool:
        """Whether an order that looks like this one belongs to one of ours that does not."""
        same = (order for order in seen if order.fingerprint == one.fingerprint)
        owners = (self.owner_of(order.order_id) for order in same)
        return self.rules.numbers_may_be_wrong and any(
            owner is not None and owner.trade.fingerprint != one.fingerprint for owner in owners
        )

    def _match(self, one: Sought, ahead: timedelta, seen: Sequence[Seen]) -> Match:
        owned = {row.broker_order_id for row in self.rows.values() if row.broker_order_id}
        return self.rules.match(
            one.fingerprint,
            claimed_at=one.claimed_at + ahead,
            quiet=QUIET,
            listed=seen,
            taken=owned | one.ruled_out,
        )

    def _settle_one(self, one: Sought, found: Match, asked_at: datetime) -> None:
        is_given_up = one.status != Status.UNKNOWN
        match found.finding:
            case Finding.OURS if is_given_up:
                self.resurrect(one.child_id, found.orders[0].order_id)
            case Finding.OURS:
                self._adopt(one.child_id, found.orders[0].order_id)
            case Finding.ASK:
                tagged = (seen for seen in found.orders if seen.tag.startswith(OUR_TAG))
                for seen in tagged if is_given_up else found.orders:
                    self.externals[seen.order_id] = seen.fingerprint
                if self.rows[one.child_id].status == Status.UNKNOWN and not is_given_up:
                    self.put(one.child_id, needs_agent=True, clean_reads=0)
            case Finding.NOTHING if not is_given_up:
                self._count_absence(one, asked_at)

    def _adopt(self, pk: UUID, number: str) -> bool:
        moved = self.step(
            pk,
            Status.WORKING,
            {Status.UNKNOWN},
            broker_order_id=number,
            needs_agent=False,
            reason_code=None,
        )
        if moved:
            self.externals.pop(number, None)
        return moved

    def _count_absence(self, one: Sought, asked_at: datetime) -> None:
        counts = self.rules.counts_as_absence(
            claimed_at=one.claimed_at, asked_at=asked_at, quiet=QUIET
        )
        row = self.rows[one.child_id]
        if not counts or row.status != Status.UNKNOWN:
            return
        self.put(row.pk, clean_reads=row.clean_reads + 1)
        if row.clean_reads + 1 >= self.rules.absence_reads:
            self._fail(row.pk, Reason.PROVED_ABSENT)

    def _fail(self, pk: UUID, code: Reason) -> bool:
        return self.step(
            pk, Status.FAILED_TO_PLACE, {Status.UNKNOWN}, reason_code=code, needs_agent=False
        )

    def read(self, pk: UUID, reply: Reply, now: datetime) -> None:
        """Take in the answer to a read by id of a working order."""
        row = self.rows[pk]
        try:
            self._apply(pk, read_order(reply))
        except Refused:
            if (row.sent_at or row.deadline_at - READY_FOR) + UNSEEN_FOR < now:
                self._disown(pk)

    def _apply(self, pk: UUID, shown: BrokerOrder) -> None:
        row = self.rows[pk]
        if row.status != Status.WORKING:
            return
        if not row.broker_status and self.rules.is_stranger(row.trade.fingerprint, shown):
            self._disown(pk)
            return
        self.put(pk, broker_status=shown.status)
        status = status_of_broker(shown.status, fills_listed=True)
        if status != Status.WORKING:
            self.step(pk, status, {Status.WORKING})

    def _disown(self, pk: UUID) -> None:
        """Look for an order anew whose number is wrong, unless its twin is unresolved."""
        if self.rows[pk].broker_status:
            return
        try:
            self.step(
                pk,
                Status.UNKNOWN,
                {Status.WORKING},
                broker_order_id=None,
                reason_code=Reason.WRONG_LOCATION,
            )
        except Conflict:
            return

    def candidates(self, pk: UUID) -> set[str]:
        """Return the orders that the agent is asked about."""
        sought = self.rows[pk].trade.fingerprint
        return {number for number, found in self.externals.items() if found == sought}

    def adopt_candidate(self, pk: UUID, number: str) -> None:
        with self.transaction():
            self._adopt(pk, number)

    def rule_out_candidates(self, pk: UUID, now: datetime) -> None:
        row = self.rows[pk]
        if row.claimed_at is not None and now >= row.claimed_at + QUIET:
            self.put(pk, ruled_out=frozenset(self.candidates(pk)))
            self._fail(pk, Reason.RULED_OUT)
