"""The ledger in memory: what services/{claiming,recording,sweeping} do, in the same order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID, uuid5

from brokerage.schwab.answers import Proof, Verdict
from brokerage.schwab.exchange import Exchange
from orders.domain.answering import Next
from orders.domain.lifecycle import Reason, Status
from tests.unit.orders.protocol.rows import Conflict, Row, Rows
from tests.unit.orders.protocol.rules import LEASE, READY_FOR, TIMEOUT
from tests.unit.orders.protocol.trades import ACCOUNT_HASH, Trade

NAMES = UUID(int=7)
GIVEN_UP = frozenset({Reason.PROVED_ABSENT, Reason.RULED_OUT})


@dataclass(frozen=True)
class Ticket:
    """The right to send one account order, won by a claim."""

    child_id: UUID
    sends: int
    deadline_at: datetime
    send_before: datetime


class Sending(Rows):
    """Clicks, claims, answers and what became too old."""

    def click(self, trade: Trade, now: datetime) -> UUID:
        pk = uuid5(NAMES, str(len(self.rows)))
        self.rows[pk] = Row(pk, trade, deadline_at=now + READY_FOR)
        return pk

    def claim(self, ids: Sequence[UUID], now: datetime) -> list[Ticket]:
        won = [self._claimed(pk, now) for pk in ids if self._may_claim(self.rows[pk], now)]
        return [ticket for ticket in won if ticket is not None]

    def _may_claim(self, row: Row, now: datetime) -> bool:
        return self.rules.may_claim(
            status=row.status,
            deadline_at=row.deadline_at,
            not_before=row.not_before,
            is_active=True,
            is_blocked=False,
            has_unresolved_twin=self.has_unresolved_twin(row),
            now=now,
        )

    def _claimed(self, pk: UUID, now: datetime) -> Ticket | None:
        row = self.rows[pk]
        try:
            # Like the claim's UPDATE, this writes the status without asking where it stood.
            self.put(pk, status=Status.SUBMITTING, claimed_at=now, sends=row.sends + 1)
        except Conflict:
            return None
        self.trail.append((pk, row.status, Status.SUBMITTING))
        return Ticket(pk, row.sends + 1, row.deadline_at, min(row.deadline_at, now + TIMEOUT))

    def record(self, ticket: Ticket, exchange: Exchange, now: datetime) -> None:
        """Write down what an answer proves; one that no constraint lets in is logged and lost."""
        verdict = self.rules.judge(exchange, account_hash=ACCOUNT_HASH)
        if verdict.proof == Proof.ACCEPTED and self.owner_of(verdict.order_id):
            verdict = replace(verdict, proof=Proof.UNKNOWN, order_id=None)
        planned = self.rules.next_step(
            verdict, sends=ticket.sends, now=now, deadline_at=ticket.deadline_at
        )
        try:
            with self.transaction():
                self._record(ticket.child_id, verdict, planned, exchange)
        except Conflict:
            pass

    def _record(self, pk: UUID, verdict: Verdict, planned: Next, exchange: Exchange) -> None:
        is_late = self.rows[pk].status != Status.SUBMITTING
        if is_late and not self.rules.late_answers_count:
            return
        if self._take(pk, verdict, planned, exchange):
            return
        instead = self.rules.step_when_given_up(verdict, planned)
        if instead is not None:
            self._take(pk, verdict, instead, exchange)
        if verdict.proof == Proof.ACCEPTED and verdict.order_id:
            self.resurrect(pk, verdict.order_id)

    def _take(self, pk: UUID, verdict: Verdict, planned: Next, exchange: Exchange) -> bool:
        values: dict[str, object] = {"reason_code": planned.code}
        if exchange.sent_at is not None:
            values["sent_at"] = datetime.fromtimestamp(exchange.sent_at, UTC)
        if planned.to == Status.WORKING:
            values["broker_order_id"] = verdict.order_id
        if planned.to == Status.READY and planned.not_before is not None:
            values["not_before"] = planned.not_before
        return self.step(pk, planned.to, planned.out_of, **values)

    def resurrect(self, pk: UUID, number: str) -> bool:
        """Let an absent order live again, with an alarm."""
        if not self.rules.the_absent_may_return or self.rows[pk].reason_code not in GIVEN_UP:
            return False
        moved = self.step(
            pk,
            Status.WORKING,
            {Status.FAILED_TO_PLACE},
            broker_order_id=number,
            reason_code=Reason.RESURRECTED,
        )
        if moved:
            self.alarms.add(pk)
        return moved

    def renew(self) -> None:
        """Make the orders due that wait for a token, as after its renewal."""
        for row in self.standing(Status.READY):
            if row.reason_code == Reason.TOKEN_REFUSED:
                self.put(row.pk, not_before=None)

    def sweep(self, now: datetime) -> None:
        """Expire what waited too long, and claims without an answer."""
        for row in self.standing(Status.READY):
            if row.deadline_at <= now:
                self._never_sent(row.pk)
        for row in self.standing(Status.SUBMITTING):
            if row.claimed_at is not None and row.claimed_at <= now - LEASE:
                self._lose(row.pk, self.rules.when_the_lease_is_over)

    def start(self) -> None:
        """Do what the start of the deployment does before anything may be sent."""
        for row in self.standing(Status.READY):
            self._never_sent(row.pk)
        for row in self.standing(Status.SUBMITTING):
            self._lose(row.pk, Status.UNKNOWN)

    def _never_sent(self, pk: UUID) -> None:
        self.step(pk, Status.FAILED_TO_PLACE, {Status.READY}, reason_code=Reason.STALE_UNSENT)

    def _lose(self, pk: UUID, to: Status) -> None:
        self.step(pk, to, {Status.SUBMITTING}, reason_code=Reason.LEASE_OVER)
