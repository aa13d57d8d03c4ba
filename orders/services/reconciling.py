"""Find out what became of orders of unknown outcome, from complete lists of their accounts."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.selectors import access_tokens_of
from accounts.services.asking import FanOut, authorizations, payers, reply_of
from brokerage.budget import Lane, thrifty
from brokerage.errors import BrokerError, TokenRefused
from brokerage.schwab import messages
from brokerage.schwab.exchange import Call, Exchange
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.replies import BrokerOrder
from orders.domain.matching import CLOCKS_APART, Seen
from orders.services.applying import UNKEEPABLE, apply_reading
from orders.services.seeking import Sought, take_due
from orders.services.settling import Look, Settled, settle
from orders.services.whole_lists import read_whole

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reconciled:
    """What one look did.

    Args:
        incomplete: why some lists prove nothing.
        refused_tokens: the token version that was refused, by login.
    """

    sought: int = 0
    found: int = 0
    absent: int = 0
    asked: int = 0
    incomplete: list[str] = field(default_factory=list)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)


def reconcile(*, gateway: FanOut) -> Reconciled:
    """List the accounts of all UNKNOWN orders that are due, and settle what can be settled.

    Orders that were proved absent today are looked for too, less often: the broker may show one
    after all. Safe to run twice at once; every order is looked for by one of them.

    Source: docs/what-an-answer-proves.md.
    """
    result = Reconciled()
    due = take_due(now=timezone.now())
    result.sought = len(due)
    if not due:
        return result
    headers = authorizations(access_tokens_of({one.login_id for one in due}))
    groups = [group for group in _by_account(due) if group[0].login_id in headers]
    payer = payers(headers)
    calls = [
        Call(_request(group), headers[group[0].login_id], payer=payer[group[0].login_id])
        for group in groups
    ]
    for batch in thrifty(gateway, Lane.UNKNOWN).stream(calls) if calls else ():
        _take_in(groups, batch, result)
    log.info("reconciled: %s", result)
    return result


def _by_account(due: Sequence[Sought]) -> list[list[Sought]]:
    groups: dict[UUID, list[Sought]] = defaultdict(list)
    for one in due:
        groups[one.account_id].append(one)
    return list(groups.values())


def _request(group: Sequence[Sought]) -> messages.ApiRequest:
    """Ask for every status, with room on both sides for clocks that disagree."""
    oldest = min(one.claimed_at for one in group)
    return messages.account_orders(
        group[0].account_hash, oldest - CLOCKS_APART, timezone.now() + CLOCKS_APART
    )


def _take_in(
    groups: Sequence[Sequence[Sought]], batch: Sequence[tuple[int, Exchange]], result: Reconciled
) -> None:
    """Settle a batch of accounts at once: a click may wait for every transaction more."""
    looks = [
        (groups[index], look)
        for index, exchange in batch
        if (look := _read(groups[index][0], exchange, result)) is not None
    ]
    try:
        with transaction.atomic():
            settled = [settle(group, look, now=timezone.now()) for group, look in looks]
    except DatabaseError:
        settled = [_settle_alone(group, look) for group, look in looks]
    for one, (_, look) in zip(settled, looks, strict=True):
        result.absent += one.absent
        result.asked += one.asked
        result.found += len(one.found)
        _apply(one.found, look.shown)


def _read(first: Sought, exchange: Exchange, result: Reconciled) -> Look | None:
    """Read one account's list; note why it proves nothing."""
    try:
        return _look(exchange)
    except BrokerError as error:
        if isinstance(error, TokenRefused):
            result.refused_tokens[first.login_id] = first.token_version
        result.incomplete.append(str(error))
        log.warning("a list of orders proves nothing: %s", error)
        return None


def _settle_alone(group: Sequence[Sought], look: Look) -> Settled:
    """Settle one account by itself; what cannot be written must not hold up the others."""
    try:
        return settle(group, look, now=timezone.now())
    except DatabaseError:
        # Most often somebody else settled it at this moment; else the next look is soon.
        log.exception("account %s: what a list shows could not be kept", group[0].account_id)
        return Settled()


def _apply(found: Mapping[UUID, str], shown: Mapping[str, BrokerOrder]) -> None:
    """Take over at once what the list says of the orders found; if not, the next poll does."""
    if not found:
        return
    try:
        apply_reading([(pk, shown[name]) for pk, name in found.items()], now=timezone.now())
    except UNKEEPABLE:
        log.exception("what the broker shows of %s cannot be kept", sorted(found))


def _look(exchange: Exchange) -> Look:
    """Read a list. Errors: BrokerError for one that proves nothing about what it does not show."""
    reply = reply_of(exchange)
    orders = read_whole(reply)
    asked_at = datetime.fromtimestamp(exchange.sent_at or 0, UTC)
    answered_at = datetime.fromtimestamp(exchange.answered_at or 0, UTC)
    return Look(
        asked_at=asked_at,
        broker_ahead=_broker_ahead(reply.headers.get("date", ""), answered_at),
        shown={order.order_id: order for order in orders},
        seen=[_seen(order) for order in orders],
    )


def _seen(order: BrokerOrder) -> Seen:
    return Seen(order.order_id, fingerprint(order.raw), order.tag, order.entered_at)


def _broker_ahead(date: str, answered_at: datetime) -> timedelta:
    """Return by how much the broker's clock is ahead of ours; nothing if it does not say."""
    try:
        return parsedate_to_datetime(date) - answered_at
    except (TypeError, ValueError):
        return timedelta()
