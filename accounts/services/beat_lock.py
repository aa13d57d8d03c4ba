"""No beat overlaps itself, whoever started it."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.domain.beats import Beat
from accounts.services.database_lock import lock_of_beat, take_within


class BeatBusy(Exception):
    """The beat runs at this moment, started by somebody else."""


@contextmanager
def beat_lock(beat: Beat, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a beat's lock. Errors: BeatBusy if it is not to be had within so long."""
    lock = lock_of_beat(beat)
    if not take_within(lock, wait_s):
        raise BeatBusy(f"{beat} runs already.")
    try:
        yield
    finally:
        lock.release()
