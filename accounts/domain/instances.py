"""Judge whether a database is the one that last ran here: no backup, no copy, no other host."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

# Several pulses: one that is late does not make a deployment dead.
ALIVE_FOR = timedelta(seconds=35)
LOOK = "Look at the orders, then open trading."


class Verdict(StrEnum):
    """What a start finds; all but the first two wait for an agent."""

    FIRST_RUN = "FIRST_RUN"
    KNOWN = "KNOWN"
    NO_RECORD = "NO_RECORD"
    NO_FILE = "NO_FILE"
    OTHER_HOST = "OTHER_HOST"
    OTHER_HOME = "OTHER_HOME"
    OTHER_DATABASE = "OTHER_DATABASE"
    OLDER_DATABASE = "OLDER_DATABASE"

    @property
    def opens_by_itself(self) -> bool:
        return self in {Verdict.FIRST_RUN, Verdict.KNOWN}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment runs."""

    host: str
    database: str
    home: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database says of its last run; a restored backup says what was true then."""

    place: Place
    run: UUID
    pulse: int


@dataclass(frozen=True, slots=True)
class Note:
    """What the home folder says of its last run.

    Args:
        following: a run that was about to begin; the database may or may not know of it.
    """

    run: UUID | None
    pulse: int
    following: UUID | None = None


def judge(here: Place, *, kept: Kept | None, note: Note | None, has_orders: bool) -> Verdict:
    """Compare what the database remembers with where it is now and with the home's own note.

    The note alone never makes a database known: host, folder and address must be the same too.
    """
    if kept is None:
        return Verdict.NO_RECORD if has_orders else Verdict.FIRST_RUN
    for is_other, verdict in (
        (kept.place.host != here.host, Verdict.OTHER_HOST),
        (kept.place.home != here.home, Verdict.OTHER_HOME),
        (kept.place.database != here.database, Verdict.OTHER_DATABASE),
    ):
        if is_other:
            return verdict
    if note is None:
        return Verdict.NO_FILE if has_orders else Verdict.KNOWN
    return Verdict.KNOWN if _follows(kept, note) else Verdict.OLDER_DATABASE


def _follows(kept: Kept, note: Note) -> bool:
    """Whether the database is as new as the note: it is written first, so it may be ahead."""
    if kept.run == note.following:
        return True
    return kept.run == note.run and kept.pulse >= note.pulse


def why_held(verdict: Verdict, here: Place, kept: Kept | None) -> str:
    """Say to the agent, in at most 200 characters, why the gate stays closed."""
    before = kept.place.host[:40] if kept else ""
    return {
        Verdict.NO_RECORD: f"This database has orders, but not who ran it last. {LOOK}",
        Verdict.NO_FILE: f"The file that says what ran here last is missing or damaged. {LOOK}",
        Verdict.OTHER_HOST: (
            f"This database last ran on another host: {before}, not {here.host[:40]}. "
            f"Make sure that one is stopped. {LOOK}"
        ),
        Verdict.OTHER_HOME: (
            "This database last ran with another home folder: it may be a copy. "
            f"Make sure the other one is stopped. {LOOK}"
        ),
        Verdict.OTHER_DATABASE: (
            "This database was at another address when it last ran: it may be a copy. "
            f"Make sure the other one is stopped. {LOOK}"
        ),
        Verdict.OLDER_DATABASE: (
            f"This database is not the one that stopped here (a restored backup?). {LOOK}"
        ),
    }[verdict]


def runs_elsewhere(
    here: Place, kept: Kept, *, last_sign_at: datetime, stopped: bool, now: datetime
) -> bool:
    """Whether another deployment used this very database moments ago and has not stopped."""
    elsewhere = (kept.place.host, kept.place.home) != (here.host, here.home)
    is_same = kept.place.database == here.database
    return elsewhere and is_same and not stopped and abs(now - last_sign_at) < ALIVE_FOR
