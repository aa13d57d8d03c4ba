"""Checks of the databases: a claim must be on the disk, and undone by nobody, before it is sent."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tradeswim.checks.rules import TAG, Rule, broken, unlike

FIRST_SAFE_WAL = (3, 51, 3)
BASE = "as DATABASES in tradeswim/settings/base.py has it."
ON_SERVER = "in DATABASE_URL's options or on the server; a pooler may have dropped our options."

SQLITE = {
    "synchronous": ("E031", {"2", "3"}),  # FULL, EXTRA
    "foreign_keys": ("E032", {"1"}),
    "mmap_size": ("E033", {"0"}),
}
POSTGRESQL = {
    "synchronous_commit": ("E040", {"on", "remote_apply"}),
    "fsync": ("E041", {"on"}),
    "full_page_writes": ("E042", {"on"}),
    "default_transaction_isolation": ("E043", {"read committed"}),
}
TIME_LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


@register(TAG)
def check_databases(**_: Any) -> list[CheckMessage]:
    """Look at the settings of every database."""
    found = []
    for alias in connections:
        found += broken(_rules(connections[alias]))
    return found


@register(TAG, Tags.database)
def check_open_databases(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Ask the open connections themselves."""
    found = []
    for alias in databases or ():
        connection = connections[alias]
        ask = _ask_sqlite if connection.vendor == "sqlite" else _ask_postgresql
        found += ask(connection)
    return found


def _rules(connection: BaseDatabaseWrapper) -> list[Rule]:
    told = connection.settings_dict
    options = told["OPTIONS"]
    is_sqlite = connection.vendor == "sqlite"
    return [
        Rule(
            "E034",
            lambda: is_sqlite and options.get("transaction_mode") != "IMMEDIATE",
            "SQLite transactions begin without the write lock, and fail when they want it.",
            f"Set transaction_mode to IMMEDIATE, {BASE}",
        ),
        Rule(
            "E044",
            lambda: not is_sqlite and not _reads_committed(options.get("isolation_level")),
            "Claims are written for READ COMMITTED; other isolation levels fail them.",
            "Remove isolation_level from DATABASES.",
        ),
        Rule(
            "E050",
            lambda: told["ATOMIC_REQUESTS"],
            "ATOMIC_REQUESTS is on: rows would stay locked for a whole request, and unwritten.",
            f"Set it to False, {BASE}",
        ),
        Rule(
            "E051",
            lambda: not told["AUTOCOMMIT"],
            "AUTOCOMMIT is off: what is written would not be on the disk before it is sent.",
            f"Set it to True, {BASE}",
        ),
        Rule("E052", lambda: not _is_age(told), *AGE),
    ]


def _reads_committed(level: Any) -> bool:
    from psycopg import IsolationLevel  # 9 MB that SQLite does not need

    return level in (None, IsolationLevel.READ_COMMITTED)


AGE = (
    "Connections are kept for ever, or longer than a server's idle limit without being tested.",
    "Set TRADESWIM_CONN_MAX_AGE to at most 3600, and CONN_HEALTH_CHECKS to True for PostgreSQL.",
)


def _is_age(told: dict[str, Any]) -> bool:
    age = told["CONN_MAX_AGE"]
    is_tested = told["CONN_HEALTH_CHECKS"] or told["ENGINE"].endswith("sqlite3")
    return isinstance(age, int) and 0 <= age <= 3600 and (is_tested or age == 0)


def _ask_sqlite(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    names = [*SQLITE, "journal_mode", "busy_timeout"]
    with connection.cursor() as cursor:
        values = [cursor.execute(f"PRAGMA {name}").fetchone() for name in names]
    found = {name: str(value[0]).lower() for name, value in zip(names, values, strict=True)}
    return unlike(found, SQLITE, where=f"in SQLITE_OPTIONS, {BASE}") + broken(
        [
            Rule(
                "E030",
                lambda: not _keeps_a_journal(found["journal_mode"]),
                f"SQLite {sqlite3.sqlite_version} keeps its journal in the mode "
                f"{found['journal_mode']}, which can damage the database or lose a claim.",
                "Use TRUNCATE, or WAL with SQLite 3.51.3 or later, in SQLITE_OPTIONS.",
            ),
            Rule(
                "E035",
                lambda: int(found["busy_timeout"]) < 1000,
                "SQLite does not wait for another writer.",
                f"Set busy_timeout, {BASE}",
            ),
        ]
    )


def _keeps_a_journal(mode: str) -> bool:
    if mode == "wal":
        return sqlite3.sqlite_version_info >= FIRST_SAFE_WAL
    return mode in {"delete", "truncate", "persist"}


def _ask_postgresql(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    names = [*POSTGRESQL, *TIME_LIMITS]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [names])
        found = dict(cursor.fetchall())
    return unlike(found, POSTGRESQL, where=ON_SERVER) + broken(
        [
            Rule(
                "E045",
                lambda: any(found[name] == "0" for name in TIME_LIMITS),
                "PostgreSQL lets a statement or a lock wait for ever, and a claim with it.",
                f"Set {', '.join(TIME_LIMITS)} {ON_SERVER}",
            )
        ]
    )
