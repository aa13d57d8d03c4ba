"""Within a process, who is about to send goes before who records what was answered.

SQLite has one writer and Python one interpreter: without this, the answers to the first chunk of a
broadcast were recorded while the others waited to be claimed, half a second at a thousand accounts.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Of a worker that never stops sending, answers are recorded all the same.
PATIENCE_S = 1.0

_changed = threading.Condition()
_sending = 0
_claiming = threading.Lock()


@contextmanager
def about_to_send() -> Iterator[None]:
    """Say that account orders are being claimed and sent in here."""
    global _sending
    with _changed:
        _sending += 1
    try:
        yield
    finally:
        with _changed:
            _sending -= 1
            _changed.notify_all()


def give_way() -> None:
    """Wait until nobody in this process is about to send, but not for ever."""
    with _changed:
        _changed.wait_for(lambda: not _sending, PATIENCE_S)


@contextmanager
def in_turn() -> Iterator[None]:
    """Claim one after the other where the database lets only one write.

    SQLite lets the others look again after ever longer pauses; a lock wakes the next at once.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with _claiming:
        yield
