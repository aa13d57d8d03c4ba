"""Send what waits in the outbox: every receiver by himself, in order, at least once.

A receiver that does not answer is left alone for longer and longer, and what waits for it waits in
order; one that refuses a single message gets the others meanwhile. After a day a message is given
up, and an alarm says so. Nothing here is waited for by anybody but the next pass.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.alerts import NotDelivered, RefusedByReceiver, mail, post
from accounts.alerts.posting import Letter
from accounts.domain.envelope import CannotOpen
from accounts.domain.happenings import Channel, DeliveryState, wait_s
from accounts.models import Delivery, Receiver
from accounts.services.alarms import raise_alarm
from accounts.services.letters import mail_body, mail_subject, webhook_body

log = logging.getLogger(__name__)

# One pass sends so many to a receiver, and takes so long at most beside the last one's own time.
AT_ONCE = 50
PASS_S = 3.0
LEASE = timedelta(seconds=120)
GIVEN_UP = "NOT_DELIVERED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt; `is_busy` says that the receiver itself is not to be had."""

    delivery_id: int
    is_delivered: bool
    words: str
    is_busy: bool = False


def deliver_due(*, now: datetime) -> list[Outcome]:
    """Send what is due to every receiver that nobody else sends to; return what came of it."""
    claimed = [one for one in due_receivers(now) if _claim(one, now)]
    boxes = [(one, _start(one, now)) for one in claimed]
    until = time.monotonic() + PASS_S + settings.WEBHOOK_TIMEOUT_S + 1
    outcomes: list[Outcome] = []
    for receiver, box in boxes:
        found = list(_collect(box, until))
        _record(receiver, found, now)
        outcomes += found
    return outcomes


def due_receivers(now: datetime) -> QuerySet[Receiver]:
    """Return the receivers for whom something is due, and who are not left alone."""
    waiting = Delivery.objects.filter(
        receiver=OuterRef("pk"), state=DeliveryState.PENDING, next_at__lte=now
    )
    return Receiver.objects.filter(
        Q(resume_at__isnull=True) | Q(resume_at__lte=now),
        Q(lease_until__isnull=True) | Q(lease_until__lte=now),
        Exists(waiting),
        is_enabled=True,
    )


def _claim(receiver: Receiver, now: datetime) -> bool:
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    rows = Receiver.objects.filter(free, pk=receiver.pk)
    return bool(rows.update(lease_until=now + LEASE))


@dataclass(slots=True)
class _Box:
    """Where a sending thread puts its outcomes, and which delivery it is at; None at the end."""

    outcomes: SimpleQueue[Outcome | None]
    at: int | None = None


def _start(receiver: Receiver, now: datetime) -> _Box:
    """Send what is due to one receiver in a thread of its own, which nobody waits for for ever."""
    rows = Delivery.objects.filter(
        receiver=receiver, state=DeliveryState.PENDING, next_at__lte=now
    ).select_related("message", "receiver")
    due, box = list(rows.order_by("pk")[:AT_ONCE]), _Box(SimpleQueue())
    work = threading.Thread(target=_send_all, args=(due, box), name="delivery", daemon=True)
    work.start()
    return box


def _send_all(due: Sequence[Delivery], box: _Box) -> None:
    """Send in order until one cannot be sent; touches no database."""
    until = time.monotonic() + PASS_S
    try:
        for delivery in due:
            box.at = delivery.pk
            outcome = _send(delivery)
            box.outcomes.put(outcome)
            if outcome.is_busy or time.monotonic() > until:
                break
    finally:
        box.outcomes.put(None)


def _send(delivery: Delivery) -> Outcome:
    try:
        words = _hand_over(delivery)
    except RefusedByReceiver as error:
        return Outcome(delivery.pk, is_delivered=False, words=str(error))
    except NotDelivered as error:
        return Outcome(delivery.pk, is_delivered=False, words=str(error), is_busy=True)
    except CannotOpen:
        words = "Its secret cannot be opened: make a new one."
        return Outcome(delivery.pk, is_delivered=False, words=words, is_busy=True)
    except Exception as error:  # a thread has nobody else to tell
        words = f"It could not be sent ({type(error).__name__})."
        return Outcome(delivery.pk, is_delivered=False, words=words, is_busy=True)
    return Outcome(delivery.pk, is_delivered=True, words=words)


def _hand_over(delivery: Delivery) -> str:
    receiver, message, key = delivery.receiver, delivery.message, str(delivery.key)
    if receiver.channel == Channel.MAIL:
        return mail(mail_subject(message), mail_body(message), key=key)
    body = json.dumps(webhook_body(message, key), separators=(",", ":")).encode()
    secret, now = receiver.secret.open(), int(time.time())
    return post(Letter(receiver.url, key, message.kind, body, now, secret))


def _collect(box: _Box, until: float) -> Iterator[Outcome]:
    """Yield outcomes as they come; whoever has none in time is taken for silent."""
    while True:
        try:
            outcome = box.outcomes.get(timeout=max(until - time.monotonic(), 0))
        except Empty:
            if box.at is not None:
                words = "No answer in time."
                yield Outcome(box.at, is_delivered=False, words=words, is_busy=True)
            return
        if outcome is None:
            return
        yield outcome


def _record(receiver: Receiver, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write what became of the attempts, and give the receiver free."""
    with transaction.atomic():
        for outcome in outcomes:
            _record_one(outcome, now)
        _record_receiver(receiver, outcomes, now)
        given_up = _give_up(receiver, now)
    if given_up:
        words = (
            f"{given_up} messages to {receiver.name} were given up: {receiver.last_words} "
            "Look at Settings, Hooks and receivers."
        )
        raise_alarm(GIVEN_UP, f"receiver:{receiver.pk}", words, now=now)
    for outcome in outcomes:
        if not outcome.is_delivered:
            log.warning("message to receiver %s: %s", receiver.pk, outcome.words)


def _record_one(outcome: Outcome, now: datetime) -> None:
    row = Delivery.objects.filter(pk=outcome.delivery_id, state=DeliveryState.PENDING)
    if outcome.is_delivered:
        done = {"state": DeliveryState.DELIVERED, "done_at": now}
        row.update(attempts=F("attempts") + 1, words=outcome.words[:200], **done)
        return
    failures = (row.values_list("attempts", flat=True).first() or 0) + 1
    # Where the receiver itself is away its own pause counts, so that the order stays.
    pause = 0.0 if outcome.is_busy else wait_s(failures, random.random())  # noqa: S311
    next_at = now + timedelta(seconds=pause)
    row.update(attempts=failures, words=outcome.words[:200], next_at=next_at)


def _record_receiver(receiver: Receiver, outcomes: Sequence[Outcome], now: datetime) -> None:
    values: dict[str, object] = {"lease_until": None}
    if outcomes:
        receiver.last_words = outcomes[-1].words[:200]
        values["last_words"] = receiver.last_words
    if any(one.is_delivered for one in outcomes):
        values["told_at"] = now
    if outcomes and outcomes[-1].is_busy:
        before = 0 if any(not one.is_busy for one in outcomes) else receiver.failures
        pause = wait_s(before + 1, random.random())  # noqa: S311
        values |= {"failures": before + 1, "resume_at": now + timedelta(seconds=pause)}
    elif outcomes:
        values |= {"failures": 0, "resume_at": None}
    Receiver.objects.filter(pk=receiver.pk).update(**values)


def _give_up(receiver: Receiver, now: datetime) -> int:
    """Give up what was tried in vain for too long; return how many."""
    before = now - timedelta(seconds=settings.WEBHOOK_KEEP_TRYING_S)
    old = Delivery.objects.filter(
        receiver=receiver, state=DeliveryState.PENDING, queued_at__lte=before
    )
    return old.update(state=DeliveryState.DEAD, done_at=now)
