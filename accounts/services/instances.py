"""Which deployment runs on this database: begin a run, keep it alive, end it."""

import hashlib
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from accounts.domain.instances import (
    ALIVE_FOR,
    Kept,
    Note,
    Place,
    Verdict,
    judge,
    runs_elsewhere,
    why_held,
)
from accounts.models import AuditEvent, Instance
from accounts.services.audit import event, record
from accounts.services.database_lock import DatabaseLock, deployment_lock, take_within
from accounts.services.gate import STARTING, close_gate, find_gate
from accounts.services.run_note import read_note, write_note

log = logging.getLogger(__name__)

SUBJECT = "instance"
PULSE_EVERY = timedelta(seconds=10)
PATIENCE_S = 5.0
READING = f"{STARTING}the broker's orders are being read."
MACHINE_ID = Path("/etc/machine-id")
WIDTH = 120


class RunsElsewhere(Exception):
    """Another deployment has this database; nothing was changed."""


class NotPrepared(Exception):
    """No start was made here that could be kept alive."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a run began.

    Args:
        words: why the gate is closed.
        last_sign_at: when the database was last in use before; None if never.
    """

    verdict: Verdict
    words: str
    last_sign_at: datetime | None


def here() -> Place:
    """Return where this process runs."""
    described = connection.settings_dict
    if connection.vendor == "sqlite":
        database = str(Path(described["NAME"]).resolve())
    else:
        address = f"{described['HOST'] or 'local'}:{described['PORT'] or 'default'}"
        database = f"{connection.vendor}://{address}/{described['NAME']}"
    # The end tells folders apart better than the beginning.
    return Place(_host()[:WIDTH], database[-WIDTH:], str(settings.HOME)[-WIDTH:])


def begin_run(*, has_orders: bool, now: datetime) -> Beginning:
    """Close the gate for a start, and judge whether it may open again by itself.

    The database is written before the home's note. Between the two, and before the first, the note
    names the run that follows: a start that is cut off anywhere is known to the next one.

    Errors: RunsElsewhere; nothing is changed then.
    """
    place, note = here(), read_note()
    run = uuid4()
    with transaction.atomic(durable=True):
        row = Instance.objects.select_for_update().order_by("pk").first()
        kept = None if row is None else _kept(row)
        if row is not None:
            _refuse_if_alive(place, row, now)
        verdict = judge(place, kept=kept, note=note, has_orders=has_orders)
        write_note(Note(note.run if note else None, note.pulse if note else 0, following=run))
        last_sign_at = _last_sign(row)
        pulse = (row.pulse if row else 0) + 1
        _keep(row, place, run, pulse, now)
        words = READING if verdict.opens_by_itself else why_held(verdict, place, kept)
        words = close_gate(words, now=now).words
        _record_start(verdict, words, last_sign_at, now)
    write_note(Note(run, pulse))
    return Beginning(verdict, words, last_sign_at)


def last_sign_before_start() -> datetime | None:
    """Return when the database was in use before the newest start; None if it was not, or never."""
    starts = AuditEvent.objects.filter(subject=SUBJECT, kind="start").order_by("-id")
    data = starts.values_list("data", flat=True).first() or {}
    said = data.get("last_sign_at")
    return datetime.fromisoformat(said) if said else None


class Charge:
    """Keeps the run of a deployment alive from this process; made by `take_charge`.

    Attributes:
        lock: held as long as the process lives.
    """

    def __init__(self, lock: DatabaseLock, run: UUID, pulse: int) -> None:
        self.lock = lock
        self._run = run
        self._pulse = pulse
        self._pulsed_at: datetime | None = None

    def pulse(self, *, now: datetime) -> bool:
        """Give a sign of life if one is due; True if it was.

        Errors: RunsElsewhere when another deployment took over: this process must end.
        """
        if self._pulsed_at is not None and abs(now - self._pulsed_at) < PULSE_EVERY:
            return False
        if not self.lock.take():
            raise RunsElsewhere(_who_has_it())
        self._count(stopped_at=None, now=now)
        self._note()
        self._pulsed_at = now
        return True

    def end(self, *, now: datetime) -> None:
        """Say that the deployment stops, and let go of the database. Errors: RunsElsewhere."""
        try:
            with transaction.atomic():
                self._count(stopped_at=now, now=now)
                record([event(SUBJECT, "stop", at=now)])
            self._note()
        finally:
            self.lock.release()

    def _count(self, *, stopped_at: datetime | None, now: datetime) -> None:
        mine = Instance.objects.filter(run=self._run, pulse=self._pulse)
        if not mine.update(pulse=self._pulse + 1, pulsed_at=now, stopped_at=stopped_at):
            raise RunsElsewhere("This deployment was started anew, or another took its database.")
        self._pulse += 1

    def _note(self) -> None:
        try:
            write_note(Note(self._run, self._pulse))
        except OSError as error:  # the note may lag behind; the orders must be looked after
            log.error("the note of the last run cannot be written: %s", error)


def take_charge(*, wait_s: float = PATIENCE_S) -> Charge:
    """Take the database for this process's life, as the one that keeps the run alive.

    Errors: RunsElsewhere, NotPrepared.
    """
    lock = deployment_lock()
    if not take_within(lock, wait_s):
        raise RunsElsewhere(_who_has_it())
    row, note = Instance.objects.order_by("pk").first(), read_note()
    if row is None or note is None or note.run != row.run or _kept(row).place != here():
        lock.release()
        raise NotPrepared("Nothing was started here yet: run `manage.py prepare` first.")
    return Charge(lock, row.run, row.pulse)


@contextmanager
def database_to_ourselves(*, wait_s: float = PATIENCE_S) -> Iterator[None]:
    """Keep every other deployment off this database for a while. Errors: RunsElsewhere."""
    lock = deployment_lock()
    if not take_within(lock, wait_s):
        raise RunsElsewhere(_who_has_it())
    try:
        yield
    finally:
        lock.release()


def _who_has_it() -> str:
    try:
        row = Instance.objects.order_by("pk").first()
    except DatabaseError:  # it is only being made
        row = None
    where = f", on {row.host} with the home {row.home}" if row else ""
    return f"Another deployment runs on this database{where}. Stop it first."


def _refuse_if_alive(place: Place, row: Instance, now: datetime) -> None:
    last = row.pulsed_at or row.started_at
    stopped = row.stopped_at is not None
    if runs_elsewhere(place, _kept(row), last_sign_at=last, stopped=stopped, now=now):
        raise RunsElsewhere(
            f"Another deployment used this database {(now - last).total_seconds():.0f} s ago, on "
            f"{row.host} with the home {row.home}. Stop it, or wait {ALIVE_FOR.seconds} s if it "
            "is gone."
        )


def _kept(row: Instance) -> Kept:
    return Kept(Place(row.host, row.database, row.home), row.run, row.pulse)


def _last_sign(row: Instance | None) -> datetime | None:
    """Return when the database was last in use; if a start was not finished, before that one."""
    if row is None:
        return None
    if find_gate() is not None and (before := last_sign_before_start()):
        return before
    return max(at for at in (row.started_at, row.pulsed_at, row.stopped_at) if at)


def _keep(row: Instance | None, place: Place, run: UUID, pulse: int, now: datetime) -> None:
    values: dict[str, Any] = {
        "host": place.host,
        "database": place.database,
        "home": place.home,
        "run": run,
        "pulse": pulse,
        "pulsed_at": now,
        "started_at": now,
        "stopped_at": None,
    }
    Instance.objects.update_or_create(pk=row.pk if row else 1, defaults=values)


def _record_start(verdict: Verdict, words: str, last: datetime | None, now: datetime) -> None:
    data = {"last_sign_at": last.isoformat() if last else ""}
    record([event(SUBJECT, "start", at=now, new=verdict, reason=words, data=data)])


def _host() -> str:
    """Return a name for this machine that no other one has, as far as that can be known."""
    if settings.HOST_NAME:
        return str(settings.HOST_NAME)
    name = socket.gethostname()
    try:
        machine = MACHINE_ID.read_bytes().strip()
    except OSError:
        return name
    # systemd asks not to show the id itself.
    return f"{name} {hashlib.sha256(b'tradeswim' + machine).hexdigest()[:12]}"
