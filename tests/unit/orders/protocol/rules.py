"""The rules of the protocol: the product's own functions, each of which a mutant may replace."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from brokerage.schwab.answers import Verdict, judge_placing
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.messages import MOST_ROWS
from brokerage.schwab.replies import BrokerOrder, OrderPage
from orders.domain.answering import Next, next_step, step_when_given_up
from orders.domain.lifecycle import UNRESOLVED, Status
from orders.domain.matching import Match, counts_as_absence, match
from tests.unit.orders.protocol.claimable import may_claim

TIMEOUT = timedelta(seconds=settings.BROKER_TIMEOUT_S)
LEASE = timedelta(seconds=settings.CLAIM_LEASE_S)
QUIET = timedelta(seconds=settings.QUIET_PERIOD_S)
READY_FOR = timedelta(seconds=settings.READY_DEADLINE_S)
LOOK_EVERY = timedelta(seconds=settings.RECONCILE_EVERY_S)


def is_stranger(sought: str, shown: BrokerOrder) -> bool:
    """Whether the first read shows another order than was sent."""
    return fingerprint(shown.raw) != sought


def is_whole(page: OrderPage) -> bool:
    return not page.unreadable and page.rows < MOST_ROWS


def is_in_time(now: datetime, send_before: datetime) -> bool:
    """Whether a request may still be written."""
    return now <= send_before


def is_unresolved(status: Status) -> bool:
    """Whether the database allows only one such order per account and fingerprint."""
    return status in UNRESOLVED


@dataclass(frozen=True)
class Rules:
    """What decides, as functions; the numbers are the settings' own."""

    may_claim: Callable[..., bool] = may_claim
    is_in_time: Callable[[datetime, datetime], bool] = is_in_time
    judge: Callable[..., Verdict] = judge_placing
    next_step: Callable[..., Next] = next_step
    step_when_given_up: Callable[[Verdict, Next], Next | None] = step_when_given_up
    match: Callable[..., Match] = match
    counts_as_absence: Callable[..., bool] = counts_as_absence
    is_whole: Callable[[OrderPage], bool] = is_whole
    is_stranger: Callable[[str, BrokerOrder], bool] = is_stranger
    is_unresolved: Callable[[Status], bool] = is_unresolved
    absence_reads: int = settings.ABSENCE_READS
    when_the_lease_is_over: Status = Status.UNKNOWN
    late_answers_count: bool = True
    the_absent_may_return: bool = True
    numbers_may_be_wrong: bool = True
