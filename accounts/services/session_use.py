"""When a session was used last: written at most once a minute, and never while orders are sent.

What a person asks for is a use; what a page asks for by itself is none. A use is written by a
read. What changes something writes nothing, for no click waits and no claim: its use is noted in
the process and written by a later read of the same session, its page's next poll say.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import OperationalError

from accounts.models import UserSession
from accounts.services.session_store import unused_until

log = logging.getLogger(__name__)

WRITTEN_EVERY_S = 60
# From what changes something until its orders are sent; reads do not write meanwhile.
QUIET_S = 2.0


@dataclass(slots=True)
class _Memory:
    """Uses of this process's sessions that are not written yet, and when something changed last."""

    noted: dict[str, datetime] = field(default_factory=dict)
    changed_at: float = 0.0


_memory = _Memory()


def follow_use(row: UserSession, *, is_asked: bool, is_reading: bool, now: datetime) -> None:
    """Note that a session was used, and write it if it is time.

    Args:
        is_asked: a person asked for this, and not his page by itself.
        is_reading: this request changed nothing.
    """
    if is_asked and now - row.used_at >= _written_every():
        _memory.noted[row.session_key] = now
    if not is_reading:
        _memory.changed_at = time.monotonic()
    elif time.monotonic() - _memory.changed_at >= QUIET_S:
        used_at = _memory.noted.pop(row.session_key, row.used_at)
        if used_at > row.used_at:
            _write(row, used_at)


def keep_signed_in(row: UserSession, *, now: datetime) -> None:
    """Count this moment as a use, and write it at once: a person said that he is there."""
    _write(row, now)


def seconds_left(row: UserSession, *, now: datetime) -> int:
    """Return how long a session still lasts if nobody uses it."""
    return max(int((row.expire_date - now).total_seconds()), 0)


def may_last_longer(row: UserSession) -> bool:
    """Whether a use would make it last longer than it does."""
    return row.expire_date < row.ends_at


def forget_uses() -> None:
    """Forget what was noted: for tests."""
    _memory.noted.clear()
    _memory.changed_at = 0.0


def _written_every() -> timedelta:
    """Return how often a use is written; more often where a session lasts minutes."""
    return timedelta(seconds=min(WRITTEN_EVERY_S, settings.SESSION_IDLE_S / 10))


def _write(row: UserSession, used_at: datetime) -> None:
    """Write a use; a database that is busy for too long costs the use, not the page."""
    until = unused_until(used_at, kind=row.kind, ends_at=row.ends_at)
    try:
        UserSession.objects.filter(pk=row.pk).update(used_at=used_at, expire_date=until)
    except OperationalError as error:
        log.warning("the use of a session is not written: %s", type(error).__name__)
        return
    row.used_at, row.expire_date = used_at, until
