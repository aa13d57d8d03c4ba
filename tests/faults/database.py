"""An installation's own database, looked into and locked from outside, behind the product's back."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
WAIT_S = 20


class Sqlite:
    """The file in the installation's home."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return what a SELECT finds."""
        with closing(sqlite3.connect(self.path, timeout=WAIT_S)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(sql.replace("%s", "?"), values)
            return [dict(row) for row in found.fetchall()]

    def at_once(self, *selects: str) -> list[list[Row]]:
        """Return what several SELECTs find at one moment."""
        with closing(sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)) as one:
            one.row_factory = sqlite3.Row
            one.execute("BEGIN")
            return [[dict(row) for row in one.execute(select)] for select in selects]

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Write behind the product's back."""
        with closing(sqlite3.connect(self.path, timeout=WAIT_S)) as connection, connection:
            connection.execute(sql.replace("%s", "?"), values)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that every writer needs."""
        with closing(sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)) as foreign:
            foreign.execute("BEGIN IMMEDIATE")
            yield
            foreign.execute("ROLLBACK")

    def drop(self) -> None:
        """Leave the file to whoever removes the home."""


class Postgres:
    """A fresh database on the server that an address names."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._name = f"faults_{uuid4().hex[:12]}"
        parts = urlsplit(server)
        self.url = urlunsplit((parts.scheme, parts.netloc, f"/{self._name}", parts.query, ""))
        self._on_server(f'CREATE DATABASE "{self._name}"')

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return what a SELECT finds."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(sql.encode(), values or None).fetchall()

    def at_once(self, *selects: str) -> list[list[Row]]:
        """Return what several SELECTs find at one moment."""
        with psycopg.connect(self.url, row_factory=dict_row) as one:
            one.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return [one.execute(select.encode()).fetchall() for select in selects]

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Write behind the product's back."""
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.encode(), values or None)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """End every connection to it, and let nobody in."""
        self._let_in(is_open=False)
        with psycopg.connect(self._server, autocommit=True) as server:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            server.execute(ended, [self._name])
        try:
            yield
        finally:
            self._let_in(is_open=True)

    def _let_in(self, *, is_open: bool) -> None:
        self._on_server(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS {is_open}')

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that every writer and reader of account orders needs."""
        with psycopg.connect(self.url) as foreign:
            foreign.execute("LOCK TABLE orders_accountorder IN ACCESS EXCLUSIVE MODE")
            yield
            foreign.rollback()

    def drop(self) -> None:
        """Remove it, whoever is still connected."""
        self._on_server(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def _on_server(self, sql: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql.encode())


Database = Sqlite | Postgres


def new_database(home: Path) -> Database:
    """Return a database for a new installation: PostgreSQL if DATABASE_URL names one."""
    address = os.environ.get("DATABASE_URL", "")
    return Postgres(address) if address.startswith("postgres") else Sqlite(home / "db.sqlite3")


def moment(value: Any) -> float:
    """Return a column's moment as Unix seconds; SQLite keeps it as text in UTC."""
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return float((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def key(value: Any) -> UUID:
    """Return a column's UUID; SQLite keeps it as 32 hex digits."""
    return value if isinstance(value, UUID) else UUID(str(value))
