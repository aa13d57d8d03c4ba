"""The periods of the beat that an admin set: written here, kept when the beat starts anew."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from accounts.domain.schedules import why_not
from accounts.services.audit import event, record

# Tells a period that was set from a default; a new version may change its defaults.
SET = "Set in the administration."


class BadPeriod(ValueError):
    """A period that makes no sense for its beat; its text says which do."""


def set_period(*, name: str, seconds: int, actor: str, now: datetime) -> bool:
    """Let a beat run every so many seconds, from its next look on; False if it does already.

    Errors: BadPeriod; nothing is written then.
    """
    if words := why_not(name, seconds):
        raise BadPeriod(words)
    with transaction.atomic():
        rows = PeriodicTask.objects.select_for_update(of=("self",)).select_related("interval")
        old = _seconds(rows.get(name=name))
        if old == seconds:
            return False
        every, _ = IntervalSchedule.objects.get_or_create(
            every=seconds, period=IntervalSchedule.SECONDS
        )
        # A message that waited a whole period is worth nothing: the next one is already there.
        PeriodicTask.objects.filter(name=name).update(
            interval=every, expire_seconds=seconds, description=SET
        )
        PeriodicTasks.update_changed()
        change = {"old": "" if old is None else str(old), "new": str(seconds)}
        record([event(f"schedule:{name}", "period", at=now, actor=actor, **change)])
    return True


def periods_that_were_set() -> Mapping[str, int]:
    """Return seconds by name, of what an admin set and what still makes sense."""
    rows = PeriodicTask.objects.filter(description=SET).select_related("interval")
    found = {row.name: _seconds(row) for row in rows}
    return {
        name: seconds
        for name, seconds in found.items()
        if seconds is not None and not why_not(name, seconds)
    }


def _seconds(row: PeriodicTask) -> int | None:
    if row.interval is None:
        return None
    return int(row.interval.schedule.run_every.total_seconds())
