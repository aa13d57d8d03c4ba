"""Begin runs of a deployment in a test, here or in a copy of its home."""

from datetime import timedelta

from django.utils import timezone

from accounts.domain.instances import Note
from accounts.models import Instance
from accounts.services.gate import Gate, find_gate, open_gate
from accounts.services.instances import (
    begin_run,
)
from accounts.services.run_note import read_note, write_note


def gate() -> Gate:
    """Return the gate, which is closed."""
    found = find_gate()
    assert found is not None
    return found


def note() -> Note:
    """Return the home's note, which is there."""
    found = read_note()
    assert found is not None
    return found


def start(*, has_orders=True, after_s=0.0):
    return begin_run(has_orders=has_orders, now=timezone.now() + timedelta(seconds=after_s))


def started_once():
    """Start for the first time, as every installation once did, and let the gate open."""
    start(has_orders=False)
    assert open_gate(now=timezone.now())


def some_time_later():
    """Let the last sign of life be so old that nobody can be alive there."""
    ended = timezone.now() - timedelta(minutes=5)
    Instance.objects.update(started_at=ended, pulsed_at=ended)


def other_home(settings, tmp_path):
    """Go on in a copy of the home."""
    kept = read_note()
    settings.HOME = tmp_path / "copy"
    settings.HOME.mkdir()
    if kept:
        write_note(kept)
