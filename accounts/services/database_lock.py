"""Locks on the database for one process at a time; each goes with the process that took it."""

import fcntl
import hashlib
import os
import time
from pathlib import Path
from typing import Protocol

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.domain.beats import Beat

TRY_EVERY_S = 0.1


class DatabaseLock(Protocol):
    """A lock on the database of this installation, for one process at a time."""

    def take(self) -> bool:
        """Take the lock, or make sure that it is still ours; False if another process has it."""

    def release(self) -> None:
        """Give it back."""


def deployment_lock() -> DatabaseLock:
    """Return the lock of the deployment that runs on the database; it is not taken yet."""
    return _lock("deployment", ".lock")


def lock_of_beat(beat: Beat) -> DatabaseLock:
    """Return the lock of a beat, which must not overlap itself; it is not taken yet."""
    return _lock(f"beat {beat}", f".{beat.lower()}.lock")


def _lock(name: str, suffix: str) -> DatabaseLock:
    """Return the kind of lock that fits the database."""
    if connection.vendor == "sqlite":
        return FileLock(Path(f"{connection.settings_dict['NAME']}{suffix}"))
    return AdvisoryLock(name)


def take_within(lock: DatabaseLock, wait_s: float) -> bool:
    """Take the lock, waiting a little: what was killed needs a moment until all of it is gone."""
    until = time.monotonic() + wait_s
    while not (taken := lock.take()) and time.monotonic() < until:
        time.sleep(TRY_EVERY_S)
    return taken


class FileLock:
    """For SQLite: a locked file beside the database's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        if self._descriptor is not None and self._is_still_there(self._descriptor):
            return True
        self.release()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _is_still_there(self, descriptor: int) -> bool:
        """Whether the file we hold is the one others would find."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False


class AdvisoryLock:
    """For PostgreSQL: an advisory lock on a connection of its own, kept open while it is held."""

    def __init__(self, name: str) -> None:
        # PostgreSQL keeps them per database: a number made of the name will do.
        digest = hashlib.sha256(f"tradeswim {name}".encode()).digest()
        self._key = int.from_bytes(digest[:8], signed=True)
        self._connection: BaseDatabaseWrapper | None = None

    def take(self) -> bool:
        if self._connection is not None and self._is_alive(self._connection):
            return True
        self.release()
        own = connection.copy()
        try:
            taken = self._ask(own)
        except DatabaseError:
            own.close()
            raise
        if taken:
            self._connection = own
        else:
            own.close()
        return taken

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, own: BaseDatabaseWrapper) -> bool:
        with own.cursor() as cursor:
            # A host that vanished holds the lock until the server notices: within half a minute.
            cursor.execute("SET tcp_keepalives_idle = 10")
            cursor.execute("SET tcp_keepalives_interval = 5")
            cursor.execute("SET tcp_keepalives_count = 4")
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [self._key])
            (taken,) = cursor.fetchone()
        return bool(taken)

    def _is_alive(self, own: BaseDatabaseWrapper) -> bool:
        try:
            with own.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return False
        return True
