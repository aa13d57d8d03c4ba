"""Questions to the broker that are on their way, whichever run of a beat asked them."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from accounts.services.asking import FanOut
from brokerage.schwab.exchange import ApiRequest, Call, Exchange, Failure, FailureKind

log = logging.getLogger(__name__)

NOTHING = ApiRequest("GET", "/")
BROKEN = "The answer was lost on our side"


class About(Protocol):
    """A question about one login."""

    @property
    def login_id(self) -> UUID: ...


Q = TypeVar("Q", bound=About)


class InFlight(Generic[Q]):
    """Sends questions and hands over answers as they come, to whoever waits for them then.

    A login that takes its time is waited for by no run longer than it has patience: its answer is
    taken in by a later one, and it is not asked a second time meanwhile. For one waiting thread.
    """

    def __init__(self) -> None:
        self._arrived: SimpleQueue[list[tuple[Q, Exchange]]] = SimpleQueue()
        self._waiting: Counter[UUID] = Counter()

    @property
    def logins(self) -> set[UUID]:
        """Return the logins that have not answered yet."""
        return set(self._waiting)

    def ask(self, gateway: FanOut, questions: Sequence[Q], calls: Sequence[Call]) -> None:
        """Send one call per question; it is under way when this returns."""
        if not questions:
            return
        batches = gateway.stream(calls)
        threading.Thread(
            target=self._receive, args=(batches, questions), name="order-reads", daemon=True
        ).start()
        # Not before: a login that waits for what was never sent would not be asked again.
        self._waiting.update(question.login_id for question in questions)

    def answers(self, *, until: float | None) -> Iterator[list[tuple[Q, Exchange]]]:
        """Yield what has come and comes, in batches, until nothing is on its way any more.

        Args:
            until: on the monotonic clock, how long to wait at most; None for as long as it takes.
        """
        while self._waiting:
            try:
                left = None if until is None else max(until - time.monotonic(), 0.0)
                batch = self._arrived.get(timeout=left)
            except Empty:
                return
            for question, _ in batch:
                self._waiting[question.login_id] -= 1
            self._waiting = +self._waiting
            yield batch

    def _receive(
        self, batches: Iterator[list[tuple[int, Exchange]]], questions: Sequence[Q]
    ) -> None:
        """Take answers off the wire; it touches no database, for it has no connection to one."""
        missing = dict(enumerate(questions))
        try:
            for batch in batches:
                self._arrived.put([(missing.pop(index), exchange) for index, exchange in batch])
        except Exception:
            log.exception("%s answers are lost", len(missing))
        if missing:
            lost = Exchange(NOTHING, failure=Failure(FailureKind.MAYBE_WRITTEN, BROKEN))
            self._arrived.put([(one, lost) for one in missing.values()])
