"""Notice that a beat has stopped: raise an alarm, and see to it that alarms get out without it."""

from datetime import datetime, timedelta

from django.conf import settings

from accounts.domain.beats import Beat
from accounts.models import Instance
from accounts.services.alarms import raise_alarm
from accounts.services.beat_runs import BeatAge, beat_ages
from accounts.services.delivering import due_receivers
from accounts.services.market_hours import is_open
from accounts.services.outbox import is_told_late

STALLED = "BEAT_STALLED"


def check_beats(*, now: datetime) -> list[Beat]:
    """Raise an alarm for each beat whose last good run is too old while its market is open.

    After a start every beat has that long to run for the first time.
    """
    patience = timedelta(seconds=settings.BEAT_STALLED_S)
    if Instance.objects.filter(started_at__gt=now - patience).exists():
        return []
    late = [age for age in beat_ages(now=now) if _is_stalled(age, patience)]
    stalled = [age for age in late if is_open(age.beat, now=now)]
    for age in stalled:
        words = (
            f"{age.name} have not been read for {settings.BEAT_STALLED_S} s or more "
            f"(last good run: {age.words}). Look at Status: do Redis, beat and workers run?"
        )
        raise_alarm(STALLED, f"beat:{age.beat}", words, now=now)
    return [age.beat for age in stalled]


def late_tellings(*, now: datetime) -> list[str]:
    """Name the tasks that the beat should have rung for: alarms get out while it is dead, too."""
    before = now - timedelta(seconds=settings.TELL_AT_LATEST_S)
    late = []
    if is_told_late(before):
        late.append("orders.tell_record")
    if due_receivers(before).exists():
        late.append("accounts.deliver_messages")
    return late


def _is_stalled(age: BeatAge, patience: timedelta) -> bool:
    return age.age_s is None or age.age_s > patience.total_seconds()
