"""No beat overlaps itself, whoever started it: a lock that goes with the process that has it."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from accounts.domain.beats import Beat

TRY_EVERY_S = 0.05


class BeatBusy(Exception):
    """The beat runs at this moment, started by somebody else."""


@contextmanager
def beat_lock(beat: Beat, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a beat's lock. Errors: BeatBusy if it is not to be had within so long."""
    until = time.monotonic() + wait_s
    held = _file_lock if connection.vendor == "sqlite" else _advisory_lock
    while True:
        with held(beat) as is_ours:
            if is_ours:
                yield
                return
        if time.monotonic() >= until:
            raise BeatBusy(f"{beat} runs already.")
        time.sleep(TRY_EVERY_S)


@contextmanager
def _file_lock(beat: Beat) -> Iterator[bool]:
    """For SQLite: a locked file beside the database's; every try opens it anew."""
    path = Path(f"{connection.settings_dict['NAME']}.{beat.lower()}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock(beat: Beat) -> Iterator[bool]:
    """For PostgreSQL: an advisory lock of this connection."""
    digest = hashlib.sha256(f"tradeswim beat {beat}".encode()).digest()
    key = int.from_bytes(digest[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (is_ours,) = cursor.fetchone()
    try:
        yield bool(is_ours)
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
