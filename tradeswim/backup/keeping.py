"""The folder of backups: write a new one, forget old ones, find the newest."""

import os
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from accounts.services.audit import event, record
from accounts.services.gate import close_gate
from accounts.services.instances import database_to_ourselves, here
from accounts.services.keys import check_keys
from accounts.services.run_note import note_file
from tradeswim.backup import databases
from tradeswim.backup.archive import (
    BadBackup,
    Header,
    new_header,
    new_key,
    read_archive,
    read_header,
    read_key,
    write_archive,
)

ENDING = ".backup"
SUBJECT = "backup"


def make_key(path: Path) -> None:
    """Write a new key for backups; one that is there is never replaced. Errors: BadBackup."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadBackup(f"{path} is there already. A key is never replaced.") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(new_key() + "\n")


def back_up(folder: Path, *, key_file: Path, keep: int, now: datetime) -> Path:
    """Write a backup, wholly or not at all, and forget all but the newest. Errors: BadBackup.

    Args:
        keep: how many are kept, the new one among them.
    """
    key = read_key(key_file)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"tradeswim-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{ENDING}"
    draft = path.with_suffix(".draft")
    header = new_header(
        made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        vendor=connection.vendor,
        environment=settings.ENVIRONMENT,
        host=here().host,
    )
    # Of two at the same moment one ends here: both would write into one file.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write_archive(file, header, key, databases.dump())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    record([event(SUBJECT, "backup", at=now, new=path.name[:40])])
    for old in all_backups(folder)[keep:]:
        old.unlink()
    return path


def all_backups(folder: Path) -> list[Path]:
    """Return the backups of a folder, the newest first."""
    return sorted(folder.glob(f"tradeswim-*{ENDING}"), reverse=True)


def restore(path: Path, *, key_file: Path, over: bool, now: datetime) -> Header:
    """Put a backup in the place of the database; the next start is held until an agent looked.

    Args:
        over: whether there may be a database already, which is lost then.

    Errors: BadBackup, RunsElsewhere, BadKeyRing. With a BadKeyRing the database is there, and is
    of no use before its key file is.
    """
    key = read_key(key_file)
    with path.open("rb") as file:
        header = read_header(file)
    if header.vendor != connection.vendor:
        raise BadBackup(
            f"This backup is of {header.vendor}, but DATABASE_URL names {connection.vendor}."
        )
    if header.environment != settings.ENVIRONMENT:
        raise BadBackup(
            f"This backup is of a {header.environment} installation, and this one is "
            f"{settings.ENVIRONMENT}."
        )
    if not over and not databases.is_empty():
        raise BadBackup("There is a database already. Say --over to lose it for the backup.")
    with database_to_ourselves(), path.open("rb") as file:
        databases.put_in_place(read_archive(file, key))
        _hold(header, now)
        check_keys()
    return header


def _hold(header: Header, now: datetime) -> None:
    """Let nothing be sent by what the backup believes: the broker knows better."""
    note_file().unlink(missing_ok=True)
    words = f"Restored from the backup of {header.made_at}. Look at the orders, then open trading."
    close_gate(words, now=now)
    record([event(SUBJECT, "restored", at=now, old=header.made_at[:40], reason=words)])
