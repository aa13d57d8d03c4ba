"""What the answer to a placing proves about the order: placed, not placed, or nothing."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from brokerage.schwab.exchange import Exchange, FailureKind, Reply
from brokerage.schwab.refusals import casts_doubt, plain_words, refusal_words, retry_after_s

CREATED, UNAUTHORIZED, TOO_MANY_REQUESTS = 201, 401, 429
REFUSALS = frozenset({400, 401, 403, 404, 405, 413, 415, 422})
# The host is the public one even behind a proxy, so only the path is looked at: the address is
# never followed, the number in it is. Repeated headers come joined by a comma and match nothing.
LOCATION = re.compile(
    r"(?:https?://[^/\s,]+)?(?:/[^\s,?#]*)?/accounts/([^/\s,?#]+)/orders/([1-9][0-9]{0,18})"
)


class Proof(StrEnum):
    """What is known about the order afterwards."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    UNAUTHORIZED = "UNAUTHORIZED"
    THROTTLED = "THROTTLED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The proof with what to record.

    Args:
        order_id: the broker's; only with ACCEPTED.
        code: a stable word for programs.
        words: for an operator, plain and short.
        retry_after: seconds the broker asks us to wait; only with THROTTLED, where it may be None.
    """

    proof: Proof
    order_id: str | None
    code: str
    words: str
    retry_after: float | None = None


def judge_placing(exchange: Exchange, *, account_hash: str) -> Verdict:
    """Say what an exchange proves about the order it wanted to place (or to replace another with).

    Source: docs/what-an-answer-proves.md.
    """
    reply = exchange.reply
    if reply is None:
        return _judge_failure(exchange)
    if reply.status == CREATED:
        return _judge_created(reply, account_hash)
    if reply.status == TOO_MANY_REQUESTS and not casts_doubt(reply):
        words = refusal_words(reply) or "Too many requests"
        pause = retry_after_s(reply, now=exchange.answered_at)
        return Verdict(Proof.THROTTLED, None, "THROTTLED", words, pause)
    if reply.status in REFUSALS:
        return _judge_refusal(reply)
    return _unknown("UNEXPECTED_STATUS", f"The broker answered with HTTP {reply.status}")


def _judge_failure(exchange: Exchange) -> Verdict:
    failure = exchange.failure
    if failure is not None and failure.kind is FailureKind.NOT_WRITTEN:
        return Verdict(Proof.NOT_SENT, None, "NOT_SENT", plain_words(failure.words))
    return _unknown("NO_ANSWER", failure.words if failure else "No answer")


def _judge_created(reply: Reply, account_hash: str) -> Verdict:
    location = reply.headers.get("location")
    if location is None:
        return _unknown("NO_LOCATION", "The broker took an order without saying which")
    match = LOCATION.fullmatch(location.strip())
    if match is None:
        return _unknown("BAD_LOCATION", "The broker's order address is unreadable")
    if unquote(match[1]) != account_hash:
        return _unknown("OTHER_ACCOUNT", "The broker named an order of another account")
    return Verdict(Proof.ACCEPTED, match[2], "ACCEPTED", f"Order {match[2]}")


def _judge_refusal(reply: Reply) -> Verdict:
    words = refusal_words(reply)
    if words is None:
        return _unknown("NOT_A_REFUSAL", f"HTTP {reply.status} without the broker's reason")
    if casts_doubt(reply):
        return _unknown("DOUBTFUL_REFUSAL", f"HTTP {reply.status}: {words}")
    if reply.status == UNAUTHORIZED:
        return Verdict(Proof.UNAUTHORIZED, None, "UNAUTHORIZED", words)
    return Verdict(Proof.REFUSED, None, "REFUSED", words)


def _unknown(code: str, words: str) -> Verdict:
    return Verdict(Proof.UNKNOWN, None, code, plain_words(words))
