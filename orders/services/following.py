"""Find the orders that the broker put in the place of ours by itself, and go on with them."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import Alarm
from accounts.selectors import access_tokens_of
from accounts.services.alarms import raise_alarm
from accounts.services.asking import FanOut, authorizations, payers, reply_of
from brokerage.budget import Lane, thrifty
from brokerage.errors import BrokerError, TokenRefused
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Call, Reply
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.replies import BrokerOrder, read_order
from orders.domain.lifecycle import Status
from orders.domain.matching import CLOCKS_APART
from orders.domain.succession import successors
from orders.models import AccountOrder
from orders.services.applying import apply_each
from orders.services.seeking import EARLY, under_way
from orders.services.succeeding import adopt
from orders.services.whole_lists import read_whole

log = logging.getLogger(__name__)

T = TypeVar("T")

EVERY = timedelta(seconds=5) - EARLY
SLOWLY = timedelta(seconds=60)
# A list may be behind for a moment; after so many that do not name one successor the agent is
# told, and after so many more it is looked for slowly.
LOOKS_BEFORE_ALARM, LOOKS_BEFORE_PATIENCE = 3, 24
UNCLEAR = "SUCCESSOR_UNKNOWN"
WORDS = "{}: the broker replaced order {} and {} be the new one. Look at the account."


@dataclass(frozen=True, slots=True)
class Lost:
    """A replaced order whose successor is not known; `looks` counts the lists without it."""

    child_id: UUID
    account_id: UUID
    login_id: UUID
    account_hash: str
    alias: str
    broker_order_id: str
    looks: int
    token_version: int


@dataclass(slots=True)
class Followed:
    """What one look did.

    Args:
        found: the successor's id by that of the replaced account order.
        refused_tokens: the token version that was refused, by login.
    """

    sought: int = 0
    found: dict[UUID, UUID] = field(default_factory=dict)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who is asked, with which headers and payers by login, and where refused tokens are noted."""

    gateway: FanOut
    headers: Mapping[UUID, str]
    payers: Mapping[UUID, str]
    followed: Followed


def follow_successors(*, gateway: FanOut) -> Followed:
    """Look for the successors of replaced orders in the complete lists of their accounts.

    Exactly one order that fits and belongs to nobody is taken for ours, as a further attempt.
    """
    followed = Followed()
    lost = _take_due(timezone.now())
    followed.sought = len(lost)
    if not lost:
        return followed
    headers = authorizations(access_tokens_of({one.login_id for one in lost}))
    asking = _Asking(thrifty(gateway, Lane.UNKNOWN), headers, payers(headers), followed)
    able = [one for one in lost if one.login_id in headers]
    closed = {one: old for one, old in _ask(asking, able, _read_old, read_order) if old.closed_at}
    lists = _ask(asking, list(closed), lambda one: _list(one, closed[one]), read_whole)
    for one, listed in lists:
        _settle(one, closed[one], listed, followed)
    log.info("followed: %s", followed)
    return followed


def lost_successors(now: datetime) -> QuerySet[AccountOrder]:
    """Return the replaced orders whose successors are to be looked for now."""
    return AccountOrder.objects.filter(
        Q(looked_at__isnull=True)
        | Q(looked_at__lte=now - EVERY, clean_reads__lt=LOOKS_BEFORE_PATIENCE)
        | Q(looked_at__lte=now - SLOWLY),
        status=Status.REPLACED,
        successor__isnull=True,
        needs_agent=True,
        broker_order_id__isnull=False,
        account__login__environment=settings.ENVIRONMENT,
    )


def _take_due(now: datetime) -> list[Lost]:
    """Return the orders to look for; of two callers one gets each."""
    if not lost_successors(now).update(looked_at=now):
        return []
    rows = AccountOrder.objects.filter(looked_at=now, status=Status.REPLACED)
    return [
        Lost(*row[:5], broker_order_id=row[5] or "", looks=row[6], token_version=row[7] or 0)
        for row in rows.order_by("account__position", "attempt").values_list(
            "pk",
            "account_id",
            "account__login_id",
            "account__hash_value",
            "account__alias",
            "broker_order_id",
            "clean_reads",
            "account__login__token__version",
        )
    ]


def _read_old(one: Lost) -> ApiRequest:
    return messages.get_order(one.account_hash, one.broker_order_id)


def _list(one: Lost, old: BrokerOrder) -> ApiRequest:
    """Ask for what was entered since the old order closed, with room for clocks that disagree."""
    since = old.closed_at or timezone.now()
    until = timezone.now() + CLOCKS_APART
    return messages.account_orders(one.account_hash, since - CLOCKS_APART, until)


def _ask(
    asking: _Asking,
    lost: Sequence[Lost],
    request: Callable[[Lost], ApiRequest],
    read: Callable[[Reply], T],
) -> Iterator[tuple[Lost, T]]:
    """Ask for all at once and yield what could be read."""
    calls = [
        Call(request(one), asking.headers[one.login_id], payer=asking.payers[one.login_id])
        for one in lost
    ]
    for batch in asking.gateway.stream(calls) if calls else ():
        for index, exchange in batch:
            try:
                yield lost[index], read(reply_of(exchange))
            except BrokerError as error:
                if isinstance(error, TokenRefused):
                    one = lost[index]
                    asking.followed.refused_tokens[one.login_id] = one.token_version
                log.warning("a successor could not be looked for: %s", error)


def _settle(one: Lost, old: BrokerOrder, listed: Sequence[BrokerOrder], followed: Followed) -> None:
    names = [order.order_id for order in listed]
    owned = AccountOrder.objects.filter(account=one.account_id, broker_order_id__in=names)
    taken = set(owned.values_list("broker_order_id", flat=True))
    found = successors(old, listed, taken={name for name in taken if name})
    if any(under_way(one.account_id, fingerprint(order.raw)).exists() for order in found):
        return  # it may be that one's order, whose answer is not on record yet
    if len(found) != 1:
        _note_unclear(one, found, timezone.now())
        return
    try:
        new_id = adopt(one.child_id, found[0], now=timezone.now())
    except IntegrityError:
        log.warning("order %s got an owner at this moment", found[0].order_id)
        return
    if new_id is not None:
        followed.found[one.child_id] = new_id
        apply_each([(new_id, found[0])], now=timezone.now())


def _note_unclear(one: Lost, found: Sequence[BrokerOrder], now: datetime) -> None:
    """Count the look; tell the agent once."""
    child = AccountOrder.objects.filter(pk=one.child_id)
    child.update(clean_reads=F("clean_reads") + 1)
    subject = f"accountorder:{one.child_id}"
    is_told = Alarm.objects.filter(code=UNCLEAR, subject=subject)
    if one.looks + 1 < LOOKS_BEFORE_ALARM or is_told.exists():
        return
    names = ", ".join(order.order_id for order in found)
    could = f"{names} could all" if found else "no order in the account could"
    words = WORDS.format(one.alias, one.broker_order_id, could)
    child.update(reason=words[:300])
    raise_alarm(UNCLEAR, subject, words, now=now)
