"""Write the append-only record; every change of state writes its event in its own transaction."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from accounts.models import AuditEvent


def event(subject: models.Model | str, kind: str, **fields: Any) -> AuditEvent:
    """Build an event; `fields` are those of AuditEvent, `at` among them."""
    return AuditEvent(subject=subject_of(subject), kind=kind, **fields)


def record(events: Iterable[AuditEvent]) -> None:
    """Write events, in order."""
    AuditEvent.objects.bulk_create(events)


def subject_of(subject: models.Model | str) -> str:
    """Return `table:key`, the name a row has in the record."""
    if isinstance(subject, str):
        return subject
    return f"{subject._meta.model_name}:{subject.pk}"
