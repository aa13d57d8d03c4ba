"""Place account orders: claim, send all at once, and record what each answer proves."""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.live.panels import nudge
from accounts.services.asking import FanOut, authorizations
from brokerage.schwab import messages
from brokerage.schwab.answers import judge_placing
from brokerage.schwab.exchange import Call, Exchange
from orders.domain.laps import Laps
from orders.domain.lifecycle import UNRESOLVED, Reason, Status
from orders.services.claiming import Claimed, claim
from orders.services.parents import refresh_parents
from orders.services.patience import patiently
from orders.services.precedence import about_to_send, give_way
from orders.services.recording import Answer, Outcome, record_batch
from orders.services.steps import Step, take_steps

log = logging.getLogger(__name__)


def place_account_orders(
    *, ids: Collection[UUID], gateway: FanOut, ring: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Send these account orders to the broker at once, each at most once.

    Args:
        ids: READY account orders; those already taken, stale or blocked are passed over.
        ring: called with what became of each batch of answers as soon as it is recorded: orders
            to send again and logins to renew must not wait for an account that never answers.

    Returns:
        What became of all of them.

    Source: docs/what-an-answer-proves.md.
    """
    outcome = Outcome()
    with about_to_send():
        sending = _start(ids, gateway)
        first = next(sending.batches, [])  # it comes when all are sent
    if not sending.claimed:
        nudge("orders", "sets", "fleet")  # of what was left out; else the answers tell of it
        return outcome
    outcome.token_versions = {one.login_id: one.token_version or 0 for one in sending.claimed}
    _fail_without_token(sending.without_token)
    sent: list[float] = []
    for batch in chain([first] if first else [], sending.batches):
        sent += [exchange.sent_at for _, exchange in batch if exchange.sent_at is not None]
        answers = [_answer(sending.sendable[index], exchange) for index, exchange in batch]
        give_way()
        recorded = record_batch(answers, now=timezone.now)
        outcome.add(recorded)
        if ring is not None:
            recorded.token_versions = outcome.token_versions
            ring(recorded)
    _log(sending, sent, outcome)
    return outcome


@dataclass(frozen=True, slots=True)
class _Sending:
    """What one claim won, and the answers as they come."""

    claimed: Sequence[Claimed]
    sendable: Sequence[Claimed] = ()
    without_token: Sequence[Claimed] = ()
    batches: Iterator[list[tuple[int, Exchange]]] = field(default_factory=lambda: iter(()))
    laps: Laps | None = None


def _start(ids: Collection[UUID], gateway: FanOut) -> _Sending:
    """Claim, build every request before the first is sent, and send."""
    began = time.time()
    claimed = claim(ids, clock=timezone.now)
    if not claimed:
        return _Sending(claimed)
    laps = Laps(claimed[0].clicked_at)
    laps.mark("heard", began)
    laps.mark("claimed")
    headers = authorizations({one.login_id: one.access for one in claimed if one.access})
    sendable = [one for one in claimed if one.login_id in headers]
    calls = _build_calls(sendable, headers)
    laps.mark("built")
    batches = gateway.stream(calls)  # under way from here on
    without = [one for one in claimed if one.login_id not in headers]
    return _Sending(claimed, sendable, without, batches, laps)


def _log(sending: _Sending, sent: Sequence[float], outcome: Outcome) -> None:
    if sent and sending.laps is not None:
        sending.laps.mark("first sent", min(sent))
        sending.laps.mark("last sent", max(sent))
    orders = sorted({one.order_id for one in sending.claimed})
    log.info("placed %s: %s; ms from the click: %s", orders, outcome.counts, sending.laps)


def _build_calls(claimed: Sequence[Claimed], headers: Mapping[UUID, str]) -> list[Call]:
    return [
        Call(
            messages.place_order_body(one.account_hash, one.body.encode("ascii")),
            headers[one.login_id],
            not_after=one.send_before.timestamp(),
        )
        for one in claimed
    ]


def _fail_without_token(lost: Sequence[Claimed]) -> None:
    if not lost:
        return
    words = "This login has no usable token. Connect it again."
    values = {"reason_code": Reason.NOT_SENT, "reason": words}
    steps = [Step(one.child_id, Status.FAILED_TO_PLACE, values) for one in lost]

    def write() -> None:
        with transaction.atomic():
            take_steps(steps, out_of=UNRESOLVED, now=timezone.now(), actor="placement")
            refresh_parents({one.order_id for one in lost})

    patiently(write)


def _answer(claimed: Claimed, exchange: Exchange) -> Answer:
    verdict = judge_placing(exchange, account_hash=claimed.account_hash)
    return Answer(
        claimed=claimed,
        verdict=verdict,
        sent_at=_moment(exchange.sent_at),
        answered_at=_moment(exchange.answered_at),
    )


def _moment(unix: float | None) -> datetime | None:
    return None if unix is None else datetime.fromtimestamp(unix, UTC)
