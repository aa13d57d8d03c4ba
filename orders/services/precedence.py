"""Who is about to send goes before who records what was answered.

SQLite has one writer and Python one interpreter: without this, the answers to the first chunk of a
broadcast were recorded while the others waited to be claimed, half a second at a thousand accounts.
It is a courtesy, not a lock that anything is safe by: nobody waits for it for more than a second.
"""

import fcntl
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

log = logging.getLogger(__name__)

PATIENCE_S = 1.0
LOOK_EVERY_S = 0.001

_changed = threading.Condition()
_sending = 0


@contextmanager
def about_to_send() -> Iterator[None]:
    """Say that account orders are being claimed and sent in here."""
    global _sending
    with _changed:
        _sending += 1
    try:
        with _file("sending", fcntl.LOCK_SH) if _has_one_writer() else nullcontext():
            yield
    finally:
        with _changed:
            _sending -= 1
            _changed.notify_all()


def give_way() -> None:
    """Wait until nobody in this process, or with this SQLite, is about to send."""
    with _changed:
        _changed.wait_for(lambda: not _sending, PATIENCE_S)
    if _has_one_writer():
        with _file("sending", fcntl.LOCK_EX):
            pass


@contextmanager
def in_turn() -> Iterator[None]:
    """Claim one after the other where the database lets only one write.

    SQLite itself makes the others look again after ever longer pauses, up to 0.1 s.
    """
    with _file("claiming", fcntl.LOCK_EX) if _has_one_writer() else nullcontext():
        yield


def _has_one_writer() -> bool:
    return connection.vendor == "sqlite"


@contextmanager
def _file(name: str, kind: int) -> Iterator[None]:
    """Hold a lock that all processes with this home share, or go on without it."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_opened(name))
        except OSError as error:  # no order waits for a courtesy
            log.warning("no turn to take: %s.lock: %s", name, error.strerror)
        else:
            _wait(file, kind)
        yield


def _opened(name: str) -> IO[str]:
    folder = Path(settings.HOME) / "run"
    folder.mkdir(exist_ok=True)
    return (folder / f"{name}.lock").open("w")


def _wait(file: IO[str], kind: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError:
            time.sleep(LOOK_EVERY_S)
        else:
            return
