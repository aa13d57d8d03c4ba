"""Put what happened into the outbox, with what was found; sending comes later."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts.domain.happenings import MAILED, Channel, DeliveryState, Kind
from accounts.models import Alarm, Delivery, Message, Receiver

MAILBOX = "E-mail"


def publish(
    kind: Kind, subject: str, data: Mapping[str, Any], *, at: datetime, alarm: Alarm | None = None
) -> Message | None:
    """Queue a message to everybody who is told of its kind; None if that is nobody.

    Args:
        subject: what it is about, `table:key`.
        data: facts for programs, never secrets or account numbers.
    """
    draft = Message(kind=kind, subject=subject, at=at, data=dict(data), alarm=alarm)
    return next(iter(publish_all([draft])), None)


def publish_all(drafts: Sequence[Message]) -> list[Message]:
    """Queue messages in this order, each to everybody who is told of its kind.

    Returns:
        Those that somebody is told of; the others are not kept.
    """
    receivers = list(Receiver.objects.filter(is_enabled=True).order_by("name"))
    wanted = [(one, _who_wants(one, receivers)) for one in drafts]
    kept = [(one, who) for one, who in wanted if who]
    with transaction.atomic():
        Message.objects.bulk_create(one for one, _ in kept)
        Delivery.objects.bulk_create(
            Delivery(message=one, receiver=receiver, queued_at=one.at, next_at=one.at)
            for one, who in kept
            for receiver in who
        )
    return [one for one, _ in kept]


def tell_alarms(*, now: datetime) -> int:
    """Queue the alarms that nobody outside was told of, and again those not acknowledged since.

    Returns:
        How many were queued; none while there is nobody to tell.
    """
    keep_mailbox()
    before = now - timedelta(minutes=settings.ALARM_AGAIN_MIN)
    due = Alarm.objects.filter(
        Q(told_at__isnull=True) | Q(told_at__lte=before), acknowledged_at__isnull=True
    )
    return sum(_tell(alarm, now) for alarm in due.order_by("raised_at", "pk"))


def is_told_late(before: datetime) -> bool:
    """Tell whether an alarm raised before then was told to nobody, though there is somebody."""
    late = Alarm.objects.filter(
        told_at__isnull=True, raised_at__lte=before, acknowledged_at__isnull=True
    )
    return late.exists() and _is_anybody_told()


def keep_mailbox() -> None:
    """Make the mailbox of the settings a receiver like the others, as long as there is one."""
    is_wanted = bool(settings.ALERT_TO)
    box = Receiver.objects.filter(channel=Channel.MAIL).first()
    if box is None and is_wanted:
        Receiver.objects.get_or_create(name=MAILBOX, defaults={"channel": Channel.MAIL})
    elif box is not None and box.is_enabled != is_wanted:
        Receiver.objects.filter(pk=box.pk).update(is_enabled=is_wanted)


def old_messages(*, before: datetime) -> list[int]:
    """Return the keys of old messages of which nothing waits any more."""
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING).values("message")
    old = Message.objects.filter(at__lt=before).exclude(pk__in=waiting)
    return list(old.values_list("pk", flat=True))


def _is_anybody_told() -> bool:
    return bool(settings.ALERT_TO) or Receiver.objects.filter(is_enabled=True).exists()


def _tell(alarm: Alarm, now: datetime) -> bool:
    # Of two that find it at the same moment one queues it.
    row = Alarm.objects.filter(pk=alarm.pk, times_told=alarm.times_told)
    data = {
        "code": alarm.code,
        "words": alarm.words,
        "raised_at": alarm.raised_at.isoformat(),
        "times_told": alarm.times_told + 1,
    }
    with transaction.atomic():
        if not row.update(told_at=now, times_told=F("times_told") + 1):
            return False
        if publish(Kind.ALARM, alarm.subject, data, at=now, alarm=alarm) is None:
            transaction.set_rollback(True)
            return False
    return True


def _who_wants(message: Message, receivers: Sequence[Receiver]) -> list[Receiver]:
    """Return who is told; not who has yet to get an earlier message about the same alarm."""
    who = [one for one in receivers if _wants(one, message.kind)]
    if message.alarm_id is None:
        return who
    waiting = Delivery.objects.filter(
        message__alarm=message.alarm_id, state=DeliveryState.PENDING
    ).values_list("receiver", flat=True)
    have_to_get_it = set(waiting)
    return [one for one in who if one.pk not in have_to_get_it]


def _wants(receiver: Receiver, kind: str) -> bool:
    if receiver.channel == Channel.MAIL:
        return kind in MAILED
    return not receiver.kinds or kind in receiver.kinds or kind == Kind.TEST
