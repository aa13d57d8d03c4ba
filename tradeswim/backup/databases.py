"""Dump a whole database, and put a dump in the place of one."""

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.db import connection

from tradeswim.backup.archive import BadBackup

PART = 1 << 20


def dump() -> Iterator[bytes]:
    """Yield the database of this installation as it is at one moment. Errors: BadBackup."""
    return _dump_sqlite() if connection.vendor == "sqlite" else _dump_postgresql()


def put_in_place(data: Iterable[bytes]) -> None:
    """Make a dump the database; nothing is touched before all of it was read without an error.

    Errors: BadBackup, and whatever `data` raises.
    """
    folder = _sqlite_file().parent if connection.vendor == "sqlite" else None
    with _private_file(folder) as path:
        with path.open("wb") as file:
            for part in data:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if connection.vendor == "sqlite":
            _replace_sqlite(path)
        else:
            _restore_postgresql(path)


def is_empty() -> bool:
    """Tell whether there is nothing that a restore would write over."""
    return not connection.introspection.table_names()


@contextmanager
def _private_file(folder: Path | None) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix="restore-", dir=folder)  # for our eyes only
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _sqlite_file() -> Path:
    return Path(connection.settings_dict["NAME"])


def _dump_sqlite() -> Iterator[bytes]:
    """Copy the file in one go: writers wait as long as the disk takes."""
    with _private_file(_sqlite_file().parent) as path:
        source = sqlite3.connect(f"{_sqlite_file().resolve().as_uri()}?mode=ro", uri=True)
        copy = sqlite3.connect(path)
        try:
            source.backup(copy)
        except sqlite3.Error as error:
            raise BadBackup(f"The database cannot be copied: {error}") from None
        finally:
            source.close()
            copy.close()
        with path.open("rb") as file:
            while part := file.read(PART):
                yield part


def _replace_sqlite(path: Path) -> None:
    checked = sqlite3.connect(path)
    try:
        (found,) = checked.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    finally:
        checked.close()
    if found != "ok":
        raise BadBackup(f"The database in this backup is damaged: {found}")
    connection.close()
    database = _sqlite_file()
    # Of the old database; it would be played back into the new one.
    for beside in ("-journal", "-wal", "-shm"):
        database.with_name(database.name + beside).unlink(missing_ok=True)
    path.replace(database)


def _dump_postgresql() -> Iterator[bytes]:
    command = _postgresql("pg_dump", "--format=custom", "--no-owner", "--no-privileges")
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - our own words, and the database's address
            command, env=_environment(), stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        output = cast("IO[bytes]", process.stdout)
        while part := output.read(PART):
            yield part
        process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace").strip()
    if process.returncode:
        raise BadBackup(f"pg_dump failed: {words}")


def _restore_postgresql(path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own words, and the database's address
        _postgresql(
            "pg_restore",
            "--clean",
            "--if-exists",
            "--no-owner",
            "--no-privileges",
            "--single-transaction",
            "--exit-on-error",
            str(path),
        ),
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    connection.close()
    if done.returncode:
        raise BadBackup(f"pg_restore failed, and changed nothing: {done.stderr.strip()}")


def _postgresql(program: str, *arguments: str) -> Sequence[str]:
    described: dict[str, Any] = connection.settings_dict
    named = {"--host": "HOST", "--port": "PORT", "--username": "USER", "--dbname": "NAME"}
    where = [f"{flag}={described[key]}" for flag, key in named.items() if described.get(key)]
    return [program, *where, *arguments]


def _environment() -> Mapping[str, str]:
    """Give the password where no list of processes shows it."""
    password = connection.settings_dict.get("PASSWORD")
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
