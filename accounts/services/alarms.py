"""Raise alarms that a person must acknowledge: one open alarm per matter."""

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Alarm, User
from accounts.services.audit import event, record


def raise_alarm(code: str, subject: str, words: str, *, now: datetime) -> bool:
    """Raise an alarm unless the same one is open already; tell whether it is new.

    Args:
        code: a stable word for programs, UNKNOWN_TOO_LONG say.
        subject: what it is about, `table:key`.
        words: for the agent: what happened and what to do.
    """
    try:
        with transaction.atomic():
            Alarm.objects.create(code=code, subject=subject, words=words[:300], raised_at=now)
            record([event(subject, "alarm", at=now, new=code, reason=words[:300])])
    except IntegrityError:
        return False
    return True


def acknowledge(alarm_id: int, *, user: User, now: datetime) -> bool:
    """Acknowledge an open alarm; False if somebody else has done so already."""
    with transaction.atomic():
        alarm = Alarm.objects.filter(pk=alarm_id, acknowledged_at__isnull=True)
        subject = alarm.values_list("subject", "code").first()
        if subject is None or not alarm.update(acknowledged_at=now, acknowledged_by=user):
            return False
        name, code = subject
        record([event(name, "alarm seen", at=now, new=code, actor=user.get_username())])
    return True
