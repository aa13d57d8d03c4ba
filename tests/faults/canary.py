"""Look for the installation's secrets in everything it leaves behind (reliability's I9)."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import redis

from accounts.domain.envelope import KeyRing
from tests.faults.database import Sqlite, key
from tests.faults.installation import Installation
from tests.security.evidence import leaks, redis_contents
from tests.support.stack import Program

TOKENS = "SELECT id, access, refresh FROM accounts_token"


def leaked(installation: Installation, program: Program) -> list[str]:
    """Return which secrets of the fleet can be read where."""
    secrets = {**_credentials(program), **_tokens(installation)}
    places = {
        "the logs": installation.logs().encode(),
        "the database": _database(installation),
        "Redis": _redis(installation),
    }
    return [f"I9: {name} in {place}" for place in places for name in leaks(places[place], secrets)]


def _credentials(program: Program) -> dict[str, str]:
    return {
        f"{name} of {login['label']}": str(login[name])
        for login in program.paper("logins")
        for name in ("app_secret", "password", "totp_secret")
    }


def _tokens(installation: Installation) -> dict[str, str]:
    ring = KeyRing.loads((installation.home / "keys.json").read_text())
    rows = installation.database.rows(TOKENS)
    return {
        f"{name} token {key(row['id'])}": ring.open(
            bytes(row[name]), place=f"accounts_token|{key(row['id'])}|{name}"
        )
        for row in rows
        for name in ("access", "refresh")
    }


def _database(installation: Installation) -> bytes:
    database = installation.database
    if isinstance(database, Sqlite):
        return _copied(database.path)
    tables = database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found: list[bytes] = []
    for table in tables:
        rows = database.rows(f'TABLE "{table["tablename"]}"')
        found += [_bytes(value) for row in rows for value in row.values()]
    return b"\n".join(found)


def _copied(path: Path) -> bytes:
    """Return a whole copy of a file that is being written to."""
    with closing(sqlite3.connect(path)) as source:
        return source.serialize()


def _redis(installation: Installation) -> bytes:
    files = (installation.home / "run" / "redis").rglob("*")
    on_disk = b"".join(file.read_bytes() for file in files if file.is_file())
    with redis.Redis.from_url(installation.redis_url()) as client:
        return on_disk + redis_contents(client)


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
