"""The lock that one deployment holds on its database; it goes with the process that took it."""

import fcntl
import hashlib
import os
import time
from pathlib import Path
from typing import Protocol

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

# PostgreSQL keeps advisory locks per database, so one number will do.
KEY = int.from_bytes(hashlib.sha256(b"tradeswim deployment").digest()[:8], signed=True)
TRY_EVERY_S = 0.1


class DeploymentLock(Protocol):
    """A lock on the database of this installation, for one process at a time."""

    def take(self) -> bool:
        """Take the lock, or make sure that it is still ours; False if another process has it."""

    def release(self) -> None:
        """Give it back."""


def deployment_lock() -> DeploymentLock:
    """Return the kind of lock that fits the database; it is not taken yet."""
    if connection.vendor == "sqlite":
        return FileLock(Path(f"{connection.settings_dict['NAME']}.lock"))
    return AdvisoryLock()


def take_within(lock: DeploymentLock, wait_s: float) -> bool:
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

    def __init__(self) -> None:
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
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
            (taken,) = cursor.fetchone()
        return bool(taken)

    def _is_alive(self, own: BaseDatabaseWrapper) -> bool:
        try:
            with own.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return False
        return True
