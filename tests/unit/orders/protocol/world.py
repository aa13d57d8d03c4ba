"""The whole of it: time, the agent, workers, wire and broker around one ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from brokerage.schwab.exchange import Reply
from orders.domain.lifecycle import Status
from tests.unit.orders.protocol.broker import (
    HAND_TAG,
    OTHER_APP_TAG,
    Answer,
    Broker,
    Deed,
    Order,
    Plan,
)
from tests.unit.orders.protocol.memory import MemoryLedger, Sought
from tests.unit.orders.protocol.rules import QUIET, Rules
from tests.unit.orders.protocol.trades import Trade
from tests.unit.orders.protocol.wire import Flight, Wire, arrives_at

# Longer than the time before a claim in which an order may still count as entered after it.
SHORTLY = timedelta(seconds=30)
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@dataclass
class Look:
    """A list that was asked for and is not taken in yet; without a reply it is still to be made."""

    sought: Sequence[Sought]
    asked_at: datetime
    reply: Reply | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True)
class Surroundings:
    """What the promises rest on; true is what they do not survive.

    Args:
        other_app_repeats_us: another program with a key of its own sends the very order that is
            looked for, within the time in which ours may have been entered.
        agent_repeats_a_mislaid_order: the agent sends a trade again while nobody noticed that
            the broker named a wrong number for the first.
        wrong_number_of_an_equal: the broker names as ours an equal order that is not ours.
    """

    other_app_repeats_us: bool = False
    agent_repeats_a_mislaid_order: bool = False
    wrong_number_of_an_equal: bool = False


ORDINARY = Surroundings()


class World:
    """One account with its orders; every method is one thing that can happen."""

    def __init__(
        self,
        rules: Rules,
        ahead: timedelta = timedelta(),
        surroundings: Surroundings = ORDINARY,
    ) -> None:
        self.surroundings = surroundings
        self.now = NOON
        self.broker = Broker(ahead)
        self.ledger = MemoryLedger(rules)
        self.wire = Wire(rules, self.broker)
        self.looks: list[Look] = []
        self.clicked_at: dict[UUID, datetime] = {}
        self.other_app_at: dict[Trade, datetime] = {}

    def wait(self, seconds: float) -> None:
        """Let time pass, and requests arrive in it."""
        until = self.now + timedelta(seconds=seconds)
        while (flight := self.wire.next_arrival(until)) is not None:
            self.now = max(self.now, arrives_at(flight) or self.now)
            self.wire.arrive(flight, self._namable(flight), self.now)
        self.now = until

    def may_click(self, trade: Trade) -> bool:
        """Whether the surroundings let the agent ask for this now."""
        since = self.now - SHORTLY
        is_other = self.other_app_at.get(trade, since) > since
        return not (is_other and not self.surroundings.other_app_repeats_us)

    def _may_ring(self, trade: Trade) -> bool:
        """Whether the surroundings let a worker hear of an order of this trade now."""
        posts = (post for post in self.wire.posts if post.trade == trade)
        is_mislaid = any(self._is_mislaid(post) for post in posts)
        return not (is_mislaid and not self.surroundings.agent_repeats_a_mislaid_order)

    def _is_mislaid(self, post: Flight) -> bool:
        """Whether the broker gave a wrong number for an order, and its own is not found yet."""
        own = self.ledger.rows[post.child_id].broker_order_id
        return post.is_mislaid and all(
            str(order.number) != own for order in self.broker.made_by(post.child_id)
        )

    def click(self, trade: Trade) -> UUID:
        pk = self.ledger.click(trade, self.now)
        self.clicked_at[pk] = self.now
        return pk

    def ring(self, ids: Sequence[UUID]) -> list[Flight]:
        """Let a worker hear a message, whether it is the first, a second, or an old one."""
        trades = {pk: row.trade for pk, row in self.ledger.rows.items()}
        heard = [pk for pk in ids if self._may_ring(trades[pk])]
        tickets = self.ledger.claim(heard, self.now)
        flights = [Flight(one, trades[one.child_id], self.now) for one in tickets]
        self.wire.flights += flights
        return flights

    def send(self, flight: Flight, plan: Plan) -> None:
        self.wire.write(flight, plan, self.now)
        self.wait(0)

    def record(self, flight: Flight) -> None:
        """Let a worker write down its answer, at once or when it goes on again."""
        self.ledger.record(flight.ticket, flight.exchange(), self.now)
        self.wire.forget(flight)

    def crash(self, flight: Flight) -> None:
        self.wire.forget(flight)

    def begin_look(self, *, whole: bool, shown_at_once: bool) -> None:
        """Ask for a list if an order is due; the broker makes it now, or just before its answer."""
        sought = self.ledger.take_due(self.now)
        if not sought:
            return
        look = Look(sought, self.now)
        if shown_at_once or not whole:
            look.reply, look.answered_at = self.broker.show(now=self.now, whole=whole), self.now
        self.looks.append(look)

    def end_look(self, look: Look) -> None:
        """Take in a list."""
        self.looks.remove(look)
        reply = look.reply or self.broker.show(now=self.now)
        answered_at = look.answered_at or self.now
        self.ledger.settle(look.sought, reply, asked_at=look.asked_at, answered_at=answered_at)

    def look(self, *, whole: bool = True) -> None:
        """Ask for a list and take it in."""
        self.begin_look(whole=whole, shown_at_once=True)
        while self.looks:
            self.end_look(self.looks[0])

    def poll(self) -> None:
        """Read every working order by its number."""
        for row in self.ledger.standing(Status.WORKING):
            if row.broker_order_id:
                reply = self.broker.read(row.broker_order_id, now=self.now)
                self.ledger.read(row.pk, reply, self.now)

    def decide(self) -> None:
        """Let the agent answer what he is asked; he knows what is his."""
        for row in self.ledger.standing(Status.UNKNOWN):
            if row.needs_agent:
                self._decide(row.pk)

    def _decide(self, pk: UUID) -> None:
        mine = {str(order.number) for order in self.broker.made_by(pk)}
        found = mine & self.ledger.candidates(pk)
        if found:
            self.ledger.adopt_candidate(pk, found.pop())
        elif not mine:
            self.ledger.rule_out_candidates(pk, self.now)

    def type_by_hand(self, trade: Trade) -> None:
        self.broker.enter(trade, HAND_TAG, now=self.now)

    def trade_with_another_app(self, trade: Trade) -> None:
        if self.surroundings.other_app_repeats_us or not self._is_sought(trade):
            self.broker.enter(trade, OTHER_APP_TAG, now=self.now)
            self.other_app_at[trade] = self.now

    def _is_sought(self, trade: Trade) -> bool:
        """Whether an order of this trade that was entered now could be ours."""
        rows = (row for row in self.ledger.rows.values() if row.trade == trade)
        return any(
            row.status == Status.READY
            or (row.claimed_at and self.now <= row.claimed_at + QUIET + SHORTLY)
            for row in rows
        )

    def fill(self, order: Order) -> None:
        order.status = "FILLED"

    def restart(self, *, workers_die: bool) -> None:
        """Start the deployment anew; a worker that was stopped may survive it."""
        for flight in list(self.wire.flights) if workers_die else ():
            if flight.has_worker:
                self.crash(flight)
        self.looks.clear()
        self.ledger.start()

    def drain(self) -> None:
        """Let everything come to its end: answers, sweeps, whole lists, reads, decisions."""
        for _ in range(12):
            self._settle_down(21)
        rounds = 0
        while rounds < 30 and (rounds < 7 or self._is_unsettled()):
            self._settle_down(61)
            rounds += 1

    def _settle_down(self, seconds: float) -> None:
        for flight in self.wire.waiting():
            self.send(flight, Plan(Deed(Answer.SILENCE, places=False)))
        self.wait(seconds)
        for flight in self.wire.recordable(self.now):
            self.record(flight)
        self.ledger.sweep(self.now)
        self.look()
        self.poll()
        self.decide()

    def _is_unsettled(self) -> bool:
        return bool(self.ledger.standing(Status.READY, Status.SUBMITTING, Status.UNKNOWN))

    def _namable(self, flight: Flight) -> list[int]:
        """Return the orders a wrong `Location` may name: of another trade, or owned already."""
        return [
            order.number
            for order in self.broker.orders
            if self.surroundings.wrong_number_of_an_equal
            or order.trade != flight.trade
            or self.ledger.owner_of(str(order.number))
        ]
