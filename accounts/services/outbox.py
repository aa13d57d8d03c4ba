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
    wanting = [one for one in _receivers() if _wants(one, kind)]
    if not wanting:
        return None
    with transaction.atomic():
        message = Message.objects.create(
            kind=kind, subject=subject, at=at, data=dict(data), alarm=alarm
        )
        Delivery.objects.bulk_create(
            Delivery(message=message, receiver=one, queued_at=at, next_at=at) for one in wanting
        )
    return message


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
    return late.exists() and (bool(settings.ALERT_TO) or bool(_receivers()))


def keep_mailbox() -> None:
    """Make the mailbox of the settings a receiver like the others, as long as there is one."""
    boxes = Receiver.objects.filter(channel=Channel.MAIL)
    if not settings.ALERT_TO:
        boxes.filter(is_enabled=True).update(is_enabled=False)
    elif not boxes.exists():
        Receiver.objects.get_or_create(name=MAILBOX, defaults={"channel": Channel.MAIL})
    else:
        boxes.filter(is_enabled=False).update(is_enabled=True)


def old_messages(*, before: datetime) -> list[int]:
    """Return the keys of old messages of which nothing waits any more."""
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING).values("message")
    old = Message.objects.filter(at__lt=before).exclude(pk__in=waiting)
    return list(old.values_list("pk", flat=True))


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


def _receivers() -> Sequence[Receiver]:
    return list(Receiver.objects.filter(is_enabled=True).order_by("name"))


def _wants(receiver: Receiver, kind: Kind) -> bool:
    if receiver.channel == Channel.MAIL:
        return kind in MAILED
    return not receiver.kinds or kind in receiver.kinds or kind == Kind.TEST
