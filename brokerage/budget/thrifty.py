"""A way to the broker that spends the budget: calls that a key cannot afford are put off."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Protocol

from brokerage.budget.lanes import Lane
from brokerage.budget.treasury import Budget, the_budget
from brokerage.schwab.exchange import Call, Exchange, Failure, FailureKind
from brokerage.schwab.refusals import JUNK_RETRY_AFTER_S, retry_after_s

log = logging.getLogger(__name__)

PUT_OFF = "Put off: its app key has no request left to spend on this at the moment"

Batch = list[tuple[int, Exchange]]


class Sends(Protocol):
    """Sends many requests at once, as the gateway does."""

    def stream(self, calls: Sequence[Call]) -> Iterator[Batch]:
        """Yield answers with the index of their call, in batches, as they come."""


class NoPayer(ValueError):
    """A read names no app key: it would be made beside every budget."""


class Thrifty:
    """Sends what can be afforded; the first calls of each key come first."""

    def __init__(self, gateway: Sends, lane: Lane, budget: Budget) -> None:
        self._gateway = gateway
        self._lane = lane
        self._budget = budget

    def stream(self, calls: Sequence[Call]) -> Iterator[Batch]:
        """Start what can be afforded; the others come first, as put off. Errors: NoPayer."""
        going = self._affordable(calls)
        batches = self._gateway.stream([calls[index] for index in going])
        return self._batches(calls, going, batches)

    def _affordable(self, calls: Sequence[Call]) -> list[int]:
        wanted = Counter(call.payer for call in calls)
        if "" in wanted:
            raise NoPayer(f"{wanted['']} reads without a payer would spend nobody's budget")
        granted = self._budget.take(self._lane, wanted)
        going = []
        for index, call in enumerate(calls):
            granted[call.payer] -= 1
            if granted[call.payer] >= 0:
                going.append(index)
        return going

    def _batches(
        self, calls: Sequence[Call], going: Sequence[int], batches: Iterator[Batch]
    ) -> Iterator[Batch]:
        sent = set(going)
        if put_off := [index for index in range(len(calls)) if index not in sent]:
            log.info("%s reads put off in the lane %s", len(put_off), self._lane.name)
            yield [(index, _put_off(calls[index])) for index in put_off]
        if not going:
            return
        for batch in batches:
            named = [(going[index], exchange) for index, exchange in batch]
            self._learn(calls, named)
            yield named

    def _learn(self, calls: Sequence[Call], batch: Batch) -> None:
        pauses: dict[str, float] = {}
        for index, exchange in batch:
            reply, payer = exchange.reply, calls[index].payer
            if reply is not None and reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                asked = retry_after_s(reply, now=exchange.answered_at) or JUNK_RETRY_AFTER_S
                pauses[payer] = max(asked, pauses.get(payer, 0.0))
        if pauses:
            self._budget.note_throttled(self._lane, pauses)


def thrifty(gateway: Sends, lane: Lane) -> Thrifty:
    """Return a gateway that spends this lane of the budget of the calls' payers."""
    return Thrifty(gateway, lane, the_budget())


def _put_off(call: Call) -> Exchange:
    return Exchange(call.request, failure=Failure(FailureKind.PUT_OFF, PUT_OFF))
