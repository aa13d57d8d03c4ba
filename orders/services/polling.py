"""Read working orders at the broker: one call per login, and terminal orders never again."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.selectors import access_tokens_of
from accounts.services.asking import FanOut, authorizations, reply_of
from accounts.services.beat_runs import count_calls
from brokerage.budget import Lane, thrifty
from brokerage.errors import BrokerError, PutOff, Refused, TokenRefused
from brokerage.schwab.exchange import Call, Exchange, Reply
from brokerage.schwab.replies import BrokerOrder, read_order, read_orders
from orders.models import AccountOrder
from orders.services.applying import UNKEEPABLE, apply_reading, doubt_number
from orders.services.external import note_external
from orders.services.in_flight import InFlight
from orders.services.order_reads import (
    Polled,
    Question,
    Reading,
    Watched,
    by_number,
    questions_about,
    watch,
    working_orders,
)
from orders.services.rhythm import Rhythm
from orders.services.whole_lists import is_full

log = logging.getLogger(__name__)

# A fresh order may be 404 for a moment; after this long the number it was given is doubted.
UNSEEN_FOR_S = 5
NO_SUCH_ORDER = 404
# For so long a beat waits for answers; those that come later are taken in by the next one.
PATIENCE_S = 3.0
WITHOUT = "The login {} has no usable token"
SLOW = "No answer yet; the others are read without it"

Progress = Callable[[Polled], None]

# What the beats of this process have on the way.
_on_the_way: dict[Beat, InFlight[Question]] = {}


def sync_stock_orders(
    *, gateway: FanOut, rhythm: Rhythm | None = None, progress: Progress | None = None
) -> Polled:
    """Read every working order in shares once; with a rhythm, those of the logins that are due.

    Args:
        progress: told after each batch of answers what was read so far.
    """
    return _sync(Beat.STOCKS, gateway, rhythm, progress)


def sync_option_orders(
    *, gateway: FanOut, rhythm: Rhythm | None = None, progress: Progress | None = None
) -> Polled:
    """Read every working order in options once; else as above."""
    return _sync(Beat.OPTIONS, gateway, rhythm, progress)


def forget_what_is_on_the_way() -> None:
    """Forget what this process asked; answers that still come are lost."""
    _on_the_way.clear()


def read_orders_now(rows: QuerySet[AccountOrder], *, gateway: FanOut) -> Polled:
    """Read these working orders and no others, at once."""
    return _read_now(watch(rows), gateway)


def sync_orders(
    *, child_ids: Collection[UUID], gateway: FanOut, progress: Progress | None = None
) -> Polled:
    """Read exactly these orders, if they work: something was heard of them."""
    watched = watch(working_orders().filter(pk__in=child_ids))
    polled = _read_now(watched, gateway, alone_by_number=True, progress=progress)
    return _counted(watched, polled)


def sync_logins(
    *, login_ids: Collection[UUID], gateway: FanOut, progress: Progress | None = None
) -> Polled:
    """Read every working order of these logins, one list each: something may have been missed."""
    watched = watch(working_orders().filter(account__login__in=login_ids))
    return _counted(watched, _read_now(watched, gateway, progress=progress))


def _counted(watched: Sequence[Watched], polled: Polled) -> Polled:
    """Count what was asked beside the beats; a list shows shares and options alike."""
    beat = Beat.STOCKS if all(order.is_stock for order in watched) else Beat.OPTIONS
    count_calls(beat, Savings(polled.calls, points_read=polled.rows, points_kept=polled.changed))
    return polled


def _sync(beat: Beat, gateway: FanOut, rhythm: Rhythm | None, progress: Progress | None) -> Polled:
    watched = watch(working_orders())
    own = [order for order in watched if order.is_stock == (beat is Beat.STOCKS)]
    if rhythm is None:
        return _read_now(own, gateway, progress=progress)
    way = _on_the_way.setdefault(beat, InFlight())
    polled = Polled(watched=len(own), logins={order.login_id for order in own})
    # A list shows shares and options alike, so whoever reads a login's reads all of it.
    due = rhythm.claim(own, but_not=way.logins)
    by_login: dict[UUID, list[Watched]] = defaultdict(list)
    for order in watched:
        by_login[order.login_id].append(order)
    reader = _Reader(thrifty(gateway, Lane.POLLS), way, polled, time.monotonic() + PATIENCE_S)
    reader.read([order for login_id in due for order in by_login[login_id]])
    polled.silent |= dict.fromkeys(polled.waiting, SLOW)
    rhythm.give_back(polled.put_off | polled.refused_tokens.keys())
    return polled


def _read_now(
    watched: Sequence[Watched],
    gateway: FanOut,
    *,
    alone_by_number: bool = False,
    progress: Progress | None = None,
) -> Polled:
    """Read without regard to any rhythm, and wait for every answer."""
    polled = Polled(watched=len(watched), logins={order.login_id for order in watched})
    if watched:
        reader = _Reader(thrifty(gateway, Lane.CHANGES), InFlight(), polled, None, progress)
        reader.read(watched, alone_by_number=alone_by_number)
    return polled


class _Reader:
    """Carries questions, writes down what answers show, and asks on where they leave something.

    Args:
        until: on the monotonic clock, how long to wait for answers; None for all of them.
    """

    def __init__(
        self,
        gateway: FanOut,
        way: InFlight[Question],
        polled: Polled,
        until: float | None,
        progress: Progress | None = None,
    ) -> None:
        self._gateway = gateway
        self._way = way
        self._polled = polled
        self._until = until
        self._progress = progress
        self._headers: dict[UUID, str] = {}
        self._strange: list[BrokerOrder] = []

    def read(self, watched: Sequence[Watched], *, alone_by_number: bool = False) -> None:
        """Read these orders, and take in what was still on its way."""
        self._polled.asked |= {order.login_id for order in watched}
        self._open_tokens(self._polled.asked)
        self._ask(questions_about(watched, timezone.now(), alone_by_number=alone_by_number))
        while self._way.logins:
            following: list[Question] = []
            for batch in self._way.answers(until=self._until):
                following += self._take_in(batch)
                self._polled.waiting = self._way.logins | {one.login_id for one in following}
                if self._progress is not None:
                    self._progress(self._polled)
            if not following:
                break
            self._open_tokens({question.login_id for question in following})
            self._ask(following)
        self._polled.waiting = self._way.logins

    def _open_tokens(self, logins: Collection[UUID]) -> None:
        missing = {login_id for login_id in logins if login_id not in self._headers}
        if missing:
            self._headers |= authorizations(access_tokens_of(missing))
            without = missing - self._headers.keys()
            self._polled.silent |= {pk: WITHOUT.format(pk) for pk in without}

    def _ask(self, questions: Sequence[Question]) -> None:
        able = [question for question in questions if question.login_id in self._headers]
        calls = [
            Call(one.request(), self._headers[one.login_id], payer=one.orders[0].payer)
            for one in able
        ]
        self._polled.calls += len(calls)
        self._way.ask(self._gateway, able, calls)

    def _take_in(self, batch: Sequence[tuple[Question, Exchange]]) -> list[Question]:
        """Apply a batch of answers; return what must be asked for because of it."""
        readings: list[Reading] = []
        following: list[Question] = []
        doubtful: list[UUID] = []
        for question, exchange in batch:
            try:
                shown, more = self._look(question, reply_of(exchange))
            except PutOff:
                self._polled.calls -= 1
                self._polled.put_off.add(question.login_id)
            except BrokerError as error:
                self._note(question, error)
                doubtful += _doubted(question, error)
            else:
                readings += shown
                following += more
                self._polled.read.add(question.login_id)
        _apply(readings, self._polled)
        for child_id in doubtful:
            _doubt(child_id)
        strange, self._strange = self._strange, []
        if strange:
            note_external(strange, now=timezone.now())
        return following

    def _look(self, question: Question, reply: Reply) -> tuple[list[Reading], list[Question]]:
        """Return what an answer shows of the orders, and what to ask because it is not all.

        Missing from a list is no proof that an order is gone.
        """
        if not question.is_list:
            self._polled.rows += 1
            return [(question.orders[0], read_order(reply))], []
        page = read_orders(reply)
        self._polled.rows += page.rows
        if is_full(page.rows):
            return [], question.halves()
        shown = {order.order_id: order for order in page.orders}
        found = [one for one in question.orders if one.broker_order_id in shown]
        missing = [one for one in question.orders if one.broker_order_id not in shown]
        watched = {one.broker_order_id for one in question.orders}
        self._strange += [order for name, order in shown.items() if name not in watched]
        readings: list[Reading] = [(one, shown[one.broker_order_id]) for one in found]
        return readings, [by_number(one) for one in missing]

    def _note(self, question: Question, error: BrokerError) -> None:
        log.warning("order read failed: %s", error)
        self._polled.silent[question.login_id] = str(error)
        if isinstance(error, TokenRefused):
            self._polled.refused_tokens[question.login_id] = question.orders[0].token_version


def _doubted(question: Question, error: BrokerError) -> list[UUID]:
    """Return the order nobody has seen yet that should be visible by now under its number."""
    if question.is_list or not isinstance(error, Refused) or error.status != NO_SUCH_ORDER:
        return []
    order = question.orders[0]
    is_late = order.sent_at + timedelta(seconds=UNSEEN_FOR_S) < timezone.now()
    return [order.child_id] if order.is_new and is_late else []


def _doubt(child_id: UUID) -> None:
    try:
        doubt_number(child_id, now=timezone.now())
    except IntegrityError:
        log.warning("account order %s: wrong number, but its twin is unresolved", child_id)


def _apply(readings: Sequence[Reading], polled: Polled) -> None:
    """Write a whole batch at once: every transaction more is one that a click may wait for."""
    if not readings:
        return
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
