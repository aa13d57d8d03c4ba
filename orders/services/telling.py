"""Read on in the record, and tell what is in it: alarms to people, messages to receivers.

It follows the seals, which number the events without a gap in an order in which none comes late;
so nothing on the way of an order has to know who is told of it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.domain.happenings import Kind
from accounts.models import AuditSeal, Bookmark, Message
from accounts.services.alarms import raise_alarm
from accounts.services.outbox import publish_all
from orders.selectors.tellings import Telling, read_tellings

READER = "tellings"
AT_ONCE = 500


class _ReadByAnother(Exception):
    """Somebody else told the same events meanwhile."""


def tell_record(*, now: datetime) -> int:
    """Tell the sealed events that were not told yet; return how many were read.

    The first time it begins at the end: nobody is told of the past.
    """
    bookmark = Bookmark.objects.filter(reader=READER).first()
    if bookmark is None:
        last = AuditSeal.objects.aggregate(last=Max("number"))["last"] or 0
        Bookmark.objects.get_or_create(reader=READER, defaults={"number": last})
        return 0
    seals = list(
        AuditSeal.objects.filter(number__gt=bookmark.number)
        .select_related("event")
        .order_by("number")[:AT_ONCE]
    )
    if not seals:
        return 0
    # All reading is done before the first write: a click never waits for it.
    tellings = read_tellings([seal.event for seal in seals])
    try:
        _write(tellings, bookmark, seals[-1].number, now)
    except _ReadByAnother:
        return 0
    return len(seals)


def _write(tellings: Sequence[Telling], bookmark: Bookmark, number: int, now: datetime) -> None:
    with transaction.atomic():
        rows = Bookmark.objects.filter(pk=bookmark.pk, number=bookmark.number)
        if not rows.update(number=number):
            raise _ReadByAnother
        for one in tellings:
            if one.alarm is not None:
                code, words = one.alarm
                raise_alarm(code, one.subject, words, now=now)
        publish_all([_message(one, one.kind) for one in tellings if one.kind is not None])


def _message(one: Telling, kind: Kind) -> Message:
    return Message(kind=kind, subject=one.subject, at=one.at, data=dict(one.data))
