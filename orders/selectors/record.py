"""The record as people read it: narrowed, newest first, a page at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import AuditEvent
from strategies.domain.new_york import midnight_of

PAGE_ROWS = 200
AT_ONCE = 2000
COLUMNS = (
    "id",
    "at",
    "subject",
    "kind",
    "old",
    "new",
    "reason",
    "actor",
    "address",
    "session",
    "request_id",
    "data",
)


@dataclass(frozen=True, slots=True)
class RecordFilters:
    """What the record is narrowed to.

    Args:
        since, until: days in New York, both included.
        text: a part of a subject, a reason or a value; or a whole request id.
        before: only events with a lower number, for the next page.
    """

    since: date | None = None
    until: date | None = None
    kind: str = ""
    actor: str = ""
    text: str = ""
    before: int | None = None


def list_record(filters: RecordFilters) -> Sequence[dict[str, Any]]:
    """Return one page, newest first, in one query."""
    return list(_narrowed(filters).order_by("-id").values(*COLUMNS)[:PAGE_ROWS])


def read_record(filters: RecordFilters) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield everything that fits, oldest first, a few thousand rows at a time."""
    after = 0
    while rows := list(
        _narrowed(filters).filter(pk__gt=after).order_by("id").values(*COLUMNS)[:AT_ONCE]
    ):
        yield rows
        after = rows[-1]["id"]


def kinds() -> list[str]:
    """Return the kinds of events there are among the newest."""
    newest = AuditEvent.objects.order_by("-id").values("kind")[:AT_ONCE]
    return sorted({row["kind"] for row in newest})


def _narrowed(filters: RecordFilters) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.all()
    if filters.since:
        rows = rows.filter(at__gte=midnight_of(filters.since))
    if filters.until:
        rows = rows.filter(at__lt=midnight_of(filters.until + timedelta(days=1)))
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.actor:
        rows = rows.filter(actor=filters.actor)
    if filters.text:
        text = filters.text
        rows = rows.filter(
            Q(subject__icontains=text)
            | Q(reason__icontains=text)
            | Q(old__iexact=text)
            | Q(new__iexact=text)
            | Q(request_id=text)
        )
    if filters.before:
        rows = rows.filter(pk__lt=filters.before)
    return rows
