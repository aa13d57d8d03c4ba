"""Place account orders: claim, send all at once, and record what each answer proves."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.utils import timezone

from accounts.selectors import tokens_of
from accounts.services.asking import FanOut, authorizations
from brokerage.schwab import messages
from brokerage.schwab.answers import judge_placing
from brokerage.schwab.exchange import Call, Exchange
from orders.domain.lifecycle import UNRESOLVED, Reason, Status
from orders.services.claiming import Claimed, claim
from orders.services.parents import note_sending, refresh_parents
from orders.services.recording import Answer, Outcome, record_answers
from orders.services.steps import Step, take_steps

log = logging.getLogger(__name__)


def place_account_orders(*, ids: Collection[UUID], gateway: FanOut) -> Outcome:
    """Send these account orders to the broker at once, each at most once.

    Args:
        ids: READY account orders; those already taken, stale or blocked are passed over.

    Returns:
        What the caller must ring for: orders to send again, and logins to renew first.

    Source: docs/architecture.md, "What a broker's answer proves".
    """
    outcome = Outcome()
    claimed = claim(ids, now=timezone.now())
    if not claimed:
        return outcome
    tokens = tokens_of({one.login_id for one in claimed})
    outcome.token_versions = {login_id: token.version for login_id, token in tokens.items()}
    sendable, calls = _build_calls(claimed, authorizations(tokens))
    for batch in gateway.stream(calls):
        answers = [_answer(sendable[index], exchange) for index, exchange in batch]
        _note_sent(answers)
        record_answers(answers, outcome=outcome, now=timezone.now())
        refresh_parents({answer.claimed.order_id for answer in answers})
    log.info("placed %s: %s", sorted({one.order_id for one in claimed}), outcome.counts)
    return outcome


def _build_calls(
    claimed: Sequence[Claimed], headers: Mapping[UUID, str]
) -> tuple[list[Claimed], list[Call]]:
    """Build every request before the first is sent; an order without a token fails here."""
    sendable = [one for one in claimed if headers.get(one.login_id)]
    lost = [one for one in claimed if not headers.get(one.login_id)]
    if lost:
        _fail_without_token(lost)
    calls = [
        Call(
            messages.place_order_body(one.account_hash, one.body.encode("ascii")),
            headers[one.login_id],
        )
        for one in sendable
    ]
    return sendable, calls


def _fail_without_token(lost: Sequence[Claimed]) -> None:
    words = "This login has no usable token. Connect it again."
    values = {"reason_code": Reason.NOT_SENT, "reason": words}
    steps = [Step(one.child_id, Status.FAILED_TO_PLACE, values) for one in lost]
    take_steps(steps, out_of=UNRESOLVED, now=timezone.now(), actor="placement")
    refresh_parents({one.order_id for one in lost})


def _answer(claimed: Claimed, exchange: Exchange) -> Answer:
    verdict = judge_placing(exchange, account_hash=claimed.account_hash)
    return Answer(
        claimed=claimed,
        verdict=verdict,
        sent_at=_moment(exchange.sent_at),
        answered_at=_moment(exchange.answered_at),
    )


def _note_sent(answers: Sequence[Answer]) -> None:
    """Keep when the broadcast's requests went out; a request sent again does not count."""
    by_order: dict[int, list[datetime]] = {}
    for answer in answers:
        if answer.sent_at is not None and answer.claimed.sends == 1:
            by_order.setdefault(answer.claimed.order_id, []).append(answer.sent_at)
    for order_id, moments in by_order.items():
        note_sending(order_id, first=min(moments), last=max(moments))


def _moment(unix: float | None) -> datetime | None:
    return None if unix is None else datetime.fromtimestamp(unix, UTC)
