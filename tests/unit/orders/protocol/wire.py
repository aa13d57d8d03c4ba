"""What is between a claim and its answer's recording: requests under way, workers that die."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from brokerage.schwab.exchange import ApiRequest, Exchange, Failure, FailureKind, Reply
from brokerage.schwab.messages import place_order_body
from tests.unit.orders.protocol.broker import Answer, Broker, Plan
from tests.unit.orders.protocol.ledger import Ticket
from tests.unit.orders.protocol.rules import TIMEOUT, Rules
from tests.unit.orders.protocol.trades import ACCOUNT_HASH, Trade


class Stage(StrEnum):
    CLAIMED = "CLAIMED"
    ON_ITS_WAY = "ON_ITS_WAY"
    ARRIVED = "ARRIVED"
    NOT_WRITTEN = "NOT_WRITTEN"


@dataclass(eq=False)
class Flight:
    """One claimed order in the hands of a worker, which may be stopped between any two steps.

    Args:
        has_worker: whether somebody is left to record the answer.
    """

    ticket: Ticket
    trade: Trade
    claimed_at: datetime
    stage: Stage = Stage.CLAIMED
    plan: Plan | None = None
    written_at: datetime | None = None
    answered_at: datetime | None = None
    reply: Reply | None = None
    has_worker: bool = True

    @property
    def child_id(self) -> UUID:
        return self.ticket.child_id

    @property
    def request(self) -> ApiRequest:
        return place_order_body(ACCOUNT_HASH, self.trade.body.encode())

    @property
    def is_mislaid(self) -> bool:
        """Whether the broker gave a wrong number for its order."""
        return self.plan is not None and self.plan.answer in {Answer.OTHER_ORDER, Answer.NO_ORDER}

    def exchange(self) -> Exchange:
        """Return what the worker holds in its hands now."""
        sent_at = self.written_at.timestamp() if self.written_at else None
        if self.reply is not None and self.answered_at is not None:
            return Exchange(self.request, sent_at, self.answered_at.timestamp(), self.reply)
        kind = FailureKind.MAYBE_WRITTEN if sent_at else FailureKind.NOT_WRITTEN
        return Exchange(self.request, sent_at, failure=Failure(kind, "No answer"))


@dataclass
class Wire:
    """The workers' requests and the way to the broker."""

    rules: Rules
    broker: Broker
    flights: list[Flight] = field(default_factory=list)
    posts: list[Flight] = field(default_factory=list)

    def write(self, flight: Flight, plan: Plan, now: datetime) -> None:
        """Hand a request to the socket, unless it is too late or nobody listens."""
        in_time = self.rules.is_in_time(now, flight.ticket.send_before)
        if plan.answer == Answer.NO_CONNECTION or not in_time:
            flight.stage = Stage.NOT_WRITTEN
            return
        flight.stage, flight.plan, flight.written_at = Stage.ON_ITS_WAY, plan, now
        self.posts.append(flight)

    def next_arrival(self, until: datetime) -> Flight | None:
        """Return the request that arrives first, if one does until then."""
        under_way = [(arrives_at(flight), flight) for flight in self.flights]
        due = [(at, flight) for at, flight in under_way if at is not None and at <= until]
        return min(due, key=lambda pair: pair[0])[1] if due else None

    def arrive(self, flight: Flight, namable: Sequence[int], now: datetime) -> None:
        """Let the broker handle a request; whether anybody still waits is all the same to it."""
        assert flight.plan is not None
        flight.stage = Stage.ARRIVED
        flight.reply = self.broker.answer(
            flight.plan, flight.trade, flight.child_id, namable=namable, now=now
        )
        flight.answered_at = now
        if not flight.has_worker:
            self.flights.remove(flight)

    def recordable(self, now: datetime) -> list[Flight]:
        """Return the flights whose worker has something to record: an answer, or none in time."""
        return [one for one in self.flights if one.has_worker and _is_over(one, now)]

    def waiting(self) -> list[Flight]:
        """Return the flights that are claimed and not sent."""
        return [one for one in self.flights if one.has_worker and one.stage == Stage.CLAIMED]

    def forget(self, flight: Flight) -> None:
        """Let a worker be done with a flight; a request under way arrives all the same."""
        flight.has_worker = False
        if flight.stage != Stage.ON_ITS_WAY:
            self.flights.remove(flight)


def arrives_at(flight: Flight) -> datetime | None:
    """Return when a request will be at the broker; at the latest when its time is over."""
    if flight.stage != Stage.ON_ITS_WAY or flight.written_at is None or flight.plan is None:
        return None
    return flight.written_at + min(timedelta(seconds=flight.plan.arrives_in), TIMEOUT)


def _is_over(flight: Flight, now: datetime) -> bool:
    if flight.stage == Stage.ON_ITS_WAY:
        return flight.written_at is not None and now >= flight.written_at + TIMEOUT
    if flight.stage == Stage.ARRIVED and flight.reply is None:
        assert flight.plan is not None
        assert flight.written_at is not None
        return flight.plan.answer == Answer.DROPPED or now >= flight.written_at + TIMEOUT
    return flight.stage in {Stage.ARRIVED, Stage.NOT_WRITTEN}
