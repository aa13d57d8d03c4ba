"""Send cancels to the broker, again and again, and read what became of the orders."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.selectors import access_tokens_of
from accounts.services.alarms import raise_alarm
from accounts.services.asking import FanOut, authorizations, reply_of
from brokerage.errors import BrokerError, TokenRefused
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Call, Exchange
from brokerage.schwab.replies import BrokerOrder, read_order
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from orders.services.applying import apply_each
from orders.services.precedence import about_to_send, give_way, in_turn

log = logging.getLogger(__name__)

# A cancel that so many sends did not bring about is the agent's business; it goes on, slowly.
MOST_SENDS = 12
SLOWLY = timedelta(seconds=60)
STUCK = "CANCEL_STUCK"
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Doomed:
    """A working order whose cancel is due.

    Args:
        is_seen: whether a read has shown that the number is this order's.
        sends: how often its cancel was sent, this time included.
    """

    child_id: UUID
    login_id: UUID
    account_hash: str
    alias: str
    broker_order_id: str
    is_seen: bool
    sends: int
    token_version: int


@dataclass(slots=True)
class Canceled:
    """What one pass did; `refused_tokens` has the token version that was refused, by login."""

    sent: int = 0
    changed: set[UUID] = field(default_factory=set)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)


def send_cancels(*, gateway: FanOut, ids: Collection[UUID] | None = None) -> Canceled:
    """Cancel working orders whose cancel is due, all at once, and read each of them.

    The answer to a cancel proves nothing: it may have been too late, and a lost one may have
    arrived. Only a read does. Safe to run twice at once, for a cancel may be repeated.

    Args:
        ids: only these account orders; None for all.
    """
    done = Canceled()
    with about_to_send():
        due = _take_due(timezone.now(), ids)
        if not due:
            return done
        headers = authorizations(access_tokens_of({one.login_id for one in due}))
        ready = [one for one in due if one.login_id in headers]
        pass_on = _Pass(gateway, headers, done)
        answers = pass_on.cancel([one for one in ready if one.is_seen])
        shown = pass_on.ask([one for one in ready if not one.is_seen], messages.get_order)
        first = next(answers, [])  # it comes when all are sent
    # A number that nobody has verified may be a stranger's, whose order must not be canceled.
    later = [pass_on.cancel(pass_on.verify(batch)) for batch in shown]
    for batch in chain([first], answers, *later):
        pass_on.read([one for one, exchange in batch if not pass_on.is_refused(one, exchange)])
    _alarm(due, now=timezone.now())
    log.info("canceled: %s", done)
    return done


def due_cancels(now: datetime) -> QuerySet[AccountOrder]:
    """Return the working orders whose cancel was never sent, or some time ago without an end."""
    again = now - timedelta(seconds=settings.CANCEL_AGAIN_S)
    return AccountOrder.objects.filter(
        Q(cancel_sent_at__isnull=True)
        | Q(cancel_sends__lt=MOST_SENDS, cancel_sent_at__lte=again)
        | Q(cancel_sent_at__lte=now - SLOWLY),
        status=Status.WORKING,
        cancel_asked_at__isnull=False,
        broker_order_id__isnull=False,
        account__login__environment=settings.ENVIRONMENT,
    )


def _take_due(now: datetime, ids: Collection[UUID] | None) -> list[Doomed]:
    """Stamp the cancels that are due as sent; of two callers one gets each."""
    due = due_cancels(now) if ids is None else due_cancels(now).filter(pk__in=ids)
    if not due.exists():
        return []
    with in_turn(), transaction.atomic():
        locked = due.select_for_update(of=("self",)).order_by("pk")
        taken = list(locked.values_list("pk", flat=True))
        rows = AccountOrder.objects.filter(pk__in=taken)
        rows.update(cancel_sent_at=now, cancel_sends=F("cancel_sends") + 1)
        found = rows.order_by("account__position").values_list(
            "pk",
            "account__login_id",
            "account__hash_value",
            "account__alias",
            "broker_order_id",
            "broker_status",
            "cancel_sends",
            "account__login__token__version",
        )
        return [
            Doomed(
                *row[:4],
                broker_order_id=row[4] or "",
                is_seen=bool(row[5]),
                sends=row[6],
                token_version=row[7] or 0,
            )
            for row in found
        ]


def _still_working(doomed: Sequence[Doomed]) -> list[Doomed]:
    """Return those that a read has shown to be ours, and not to have ended."""
    rows = AccountOrder.objects.filter(
        pk__in=[one.child_id for one in doomed], status=Status.WORKING
    ).exclude(broker_status="")
    working = set(rows.values_list("pk", flat=True))
    return [one for one in doomed if one.child_id in working]


_Batch = list[tuple[Doomed, Exchange]]


class _Pass:
    """One pass over the broker: its gateway, the headers per login, and what it brings about."""

    def __init__(self, gateway: FanOut, headers: Mapping[UUID, str], done: Canceled) -> None:
        self._gateway = gateway
        self._headers = headers
        self._done = done

    def cancel(self, doomed: Sequence[Doomed]) -> Iterator[_Batch]:
        """Send cancels; they are under way when this returns."""
        self._done.sent += len(doomed)
        return self.ask(doomed, messages.cancel_order)

    def read(self, doomed: Sequence[Doomed]) -> None:
        """Read orders by id and keep what the broker shows."""
        for batch in self.ask(doomed, messages.get_order):
            self._keep(batch)

    def verify(self, batch: _Batch) -> list[Doomed]:
        """Keep what a first read shows; return the orders that it showed to be ours and at work."""
        self._keep(batch)
        return _still_working([one for one, _ in batch])

    def ask(
        self, doomed: Sequence[Doomed], request: Callable[[str, str], ApiRequest]
    ) -> Iterator[_Batch]:
        """Ask the same of all; the requests are under way when this returns."""
        calls = [
            Call(request(one.account_hash, one.broker_order_id), self._headers[one.login_id])
            for one in doomed
        ]
        batches = self._gateway.stream(calls) if calls else iter(())
        return ([(doomed[index], exchange) for index, exchange in batch] for batch in batches)

    def _keep(self, batch: _Batch) -> None:
        shown = [(one.child_id, self._shown(one, exchange)) for one, exchange in batch]
        told = [(pk, order) for pk, order in shown if order is not None]
        give_way()
        self._done.changed |= apply_each(told, now=timezone.now())

    def is_refused(self, one: Doomed, exchange: Exchange) -> bool:
        """Whether the token was not taken; a read with the same one would fail as well."""
        is_refused = exchange.reply is not None and exchange.reply.status == UNAUTHORIZED
        if is_refused:
            self._done.refused_tokens[one.login_id] = one.token_version
        return is_refused

    def _shown(self, one: Doomed, exchange: Exchange) -> BrokerOrder | None:
        try:
            return read_order(reply_of(exchange))
        except BrokerError as error:
            if isinstance(error, TokenRefused):
                self._done.refused_tokens[one.login_id] = one.token_version
            log.warning("account order %s: not read after its cancel: %s", one.child_id, error)
            return None


def _alarm(doomed: Sequence[Doomed], now: datetime) -> None:
    """Tell the agent, once, of orders that do not end although they were canceled many times."""
    stuck = {one.child_id: one for one in doomed if one.sends == MOST_SENDS}
    rows = AccountOrder.objects.filter(pk__in=stuck, status=Status.WORKING)
    for pk in rows.values_list("pk", flat=True) if stuck else ():
        one = stuck[pk]
        words = (
            f"{one.alias}: order {one.broker_order_id} still works after {one.sends} cancels. "
            "It is tried on, slowly; look at the account."
        )
        raise_alarm(STUCK, f"accountorder:{pk}", words, now=now)
