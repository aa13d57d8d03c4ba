"""Read working orders at the broker: one call per login, and terminal orders never again."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.selectors import access_tokens_of
from accounts.services.asking import FanOut, authorizations, reply_of
from brokerage.errors import BrokerError, Refused, TokenRefused
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Call, Reply
from brokerage.schwab.replies import BrokerOrder, read_order, read_orders
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from orders.services.applying import UNKEEPABLE, apply_reading, doubt_number
from strategies.domain.tickets import Strategy

log = logging.getLogger(__name__)

# The broker's clock may be behind ours, and enteredTime has whole seconds.
MARGIN = timedelta(seconds=60)
LONGEST_WINDOW = timedelta(days=59)
# A fresh order may be 404 for a moment; after this long the number it was given is doubted.
UNSEEN_FOR_S = 5
NO_SUCH_ORDER = 404


@dataclass(frozen=True, slots=True)
class Watched:
    """A working order to be read.

    Args:
        is_new: nobody has read it yet, so whether the number is right is still to be seen.
    """

    child_id: UUID
    order_id: int
    login_id: UUID
    account_hash: str
    broker_order_id: str
    is_new: bool
    sent_at: datetime
    token_version: int


Reading = tuple[Watched, BrokerOrder]


@dataclass(slots=True)
class Polled:
    """What one beat did; `refused_tokens` has the token version that was refused, by login."""

    watched: int = 0
    calls: int = 0
    changed: int = 0
    silent_logins: list[str] = field(default_factory=list)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)


def sync_stock_orders(*, gateway: FanOut) -> Polled:
    """Read every working order in shares once."""
    return _sync(AccountOrder.objects.filter(order__strategy=Strategy.EQUITY), gateway)


def sync_option_orders(*, gateway: FanOut) -> Polled:
    """Read every working order in options once."""
    return _sync(AccountOrder.objects.exclude(order__strategy=Strategy.EQUITY), gateway)


def sync_orders(*, child_ids: Collection[UUID], gateway: FanOut) -> Polled:
    """Read these working orders now: something happened to them."""
    return _sync(AccountOrder.objects.filter(pk__in=child_ids), gateway)


def sync_logins(*, login_ids: Collection[UUID], gateway: FanOut) -> Polled:
    """Read every working order of these logins now: something may have been missed."""
    return _sync(AccountOrder.objects.filter(account__login__in=login_ids), gateway)


def _sync(rows: QuerySet[AccountOrder], gateway: FanOut) -> Polled:
    watched = _working(rows)
    polled = Polled(watched=len(watched))
    if not watched:
        return polled
    headers = authorizations(access_tokens_of({order.login_id for order in watched}))
    without = {str(order.login_id) for order in watched if order.login_id not in headers}
    polled.silent_logins += [f"The login {login} has no usable token" for login in without]
    now = timezone.now()
    readable = [order for order in watched if order.login_id in headers]
    known = [order for order in readable if not order.is_new]
    missing = _read_lists(known, headers, gateway, polled, now)
    new = [order for order in readable if order.is_new]
    _read_by_id([*new, *missing], headers, gateway, polled)
    return polled


def _working(rows: QuerySet[AccountOrder]) -> list[Watched]:
    found = (
        rows.filter(
            status=Status.WORKING,
            broker_order_id__isnull=False,
            account__login__environment=settings.ENVIRONMENT,
        )
        .order_by("account__position")
        .values_list(
            "pk",
            "order_id",
            "account__login_id",
            "account__hash_value",
            "broker_order_id",
            "broker_status",
            "sent_at",
            "created_at",
            "account__login__token__version",
        )
    )
    return [
        Watched(
            *row[:4],
            broker_order_id=row[4] or "",
            is_new=not row[5],
            sent_at=row[6] or row[7],
            token_version=row[8] or 0,
        )
        for row in found
    ]


def _read_lists(
    watched: Sequence[Watched],
    headers: dict[UUID, str],
    gateway: FanOut,
    polled: Polled,
    now: datetime,
) -> list[Watched]:
    """Read one list per login; return the orders that a list should have shown and did not."""
    by_login: dict[UUID, list[Watched]] = defaultdict(list)
    for order in watched:
        by_login[order.login_id].append(order)
    groups = list(by_login.values())
    requests = [_list_request(group, now) for group in groups]
    missing: list[Watched] = []

    def read(index: int, reply: Reply) -> list[Reading]:
        shown = {order.order_id: order for order in read_orders(reply).orders}
        missing.extend(o for o in groups[index] if o.broker_order_id not in shown)
        return [(o, shown[o.broker_order_id]) for o in groups[index] if o.broker_order_id in shown]

    calls = [Call(r, headers[g[0].login_id]) for r, g in zip(requests, groups, strict=True)]
    _exchange(calls, [group[0] for group in groups], gateway, polled, read)
    return missing


def _list_request(group: Sequence[Watched], now: datetime) -> ApiRequest:
    oldest = min(order.sent_at for order in group)
    return messages.orders(max(oldest - MARGIN, now - LONGEST_WINDOW), now + MARGIN)


def _read_by_id(
    orders: Sequence[Watched], headers: dict[UUID, str], gateway: FanOut, polled: Polled
) -> None:
    """Read new orders, whose number may be wrong, and those that a list does not show.

    Missing from a list is no proof that an order is gone.
    """
    doubtful: list[UUID] = []

    def read(index: int, reply: Reply) -> list[Reading]:
        try:
            return [(orders[index], read_order(reply))]
        except Refused as refused:
            if refused.status == NO_SUCH_ORDER and _is_doubtful(orders[index]):
                doubtful.append(orders[index].child_id)
            raise

    calls = [
        Call(messages.get_order(o.account_hash, o.broker_order_id), headers[o.login_id])
        for o in orders
    ]
    _exchange(calls, orders, gateway, polled, read)
    for child_id in doubtful:
        try:
            doubt_number(child_id, now=timezone.now())
        except IntegrityError:
            log.warning("account order %s: wrong number, but its twin is unresolved", child_id)


def _is_doubtful(order: Watched) -> bool:
    """Whether an order nobody has seen yet should be visible by now under the number we have."""
    return order.is_new and order.sent_at + timedelta(seconds=UNSEEN_FOR_S) < timezone.now()


def _exchange(
    calls: Sequence[Call],
    asked_for: Sequence[Watched],
    gateway: FanOut,
    polled: Polled,
    read: Callable[[int, Reply], list[Reading]],
) -> None:
    """Carry reads and apply what they show; a bad one costs only its own login this beat."""
    polled.calls += len(calls)
    for batch in gateway.stream(calls) if calls else ():
        readings: list[Reading] = []
        for index, exchange in batch:
            try:
                readings += read(index, reply_of(exchange))
            except BrokerError as error:
                log.warning("order read failed: %s", error)
                if isinstance(error, TokenRefused):
                    order = asked_for[index]
                    polled.refused_tokens[order.login_id] = order.token_version
                polled.silent_logins.append(str(error))
        _apply(readings, polled)


def _apply(readings: Sequence[Reading], polled: Polled) -> None:
    """Write a whole batch at once: every transaction more is one that a click may wait for."""
    told = [(order.child_id, shown) for order, shown in readings]
    try:
        polled.changed += len(apply_reading(told, now=timezone.now()))
    except UNKEEPABLE:
        for one in told:
            _apply_alone(one, polled)


def _apply_alone(one: tuple[UUID, BrokerOrder], polled: Polled) -> None:
    """Write one read by itself: one that cannot be written must not hide the others for ever."""
    try:
        polled.changed += len(apply_reading([one], now=timezone.now()))
    except UNKEEPABLE:
        log.exception("account order %s: what the broker shows cannot be kept", one[0])
