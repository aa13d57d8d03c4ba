"""How large the tables are that grow, for the status page."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Model

from accounts.models import (
    AnsweredCall,
    AuditEvent,
    BalanceSnapshot,
    FleetWorth,
    Position,
    RefreshRun,
)
from orders.models import AccountOrder, ComplexOrder, ExternalOrder, LegFill

# Counting reads a whole index, which a click would wait for: a page may be a few minutes behind.
REMEMBERED_S = 300.0

KEPT_FOR_EVER = "kept for ever"
_GROWING: tuple[tuple[type[Model], str, str], ...] = (
    (ComplexOrder, "Broadcasts", KEPT_FOR_EVER),
    (AccountOrder, "Account orders", KEPT_FOR_EVER),
    (LegFill, "Fills", KEPT_FOR_EVER),
    (AuditEvent, "Audit events", KEPT_FOR_EVER),
    (BalanceSnapshot, "Balance snapshots", "one a day after 30 days"),
    (FleetWorth, "Worth of the fleet", "minutes 3 days, quarters 35 days, days for ever"),
    (RefreshRun, "Refreshes", "30 days"),
    (AnsweredCall, "Answered calls of programs", "a day"),
    (ExternalOrder, "Orders from elsewhere", "30 days after their end"),
    (Position, "Positions", "what is held now"),
)


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table: `size` in bytes with its indexes, None where the database does not say."""

    name: str
    words: str
    kept: str
    rows: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Sizes:
    """The tables that grow; `size` is the whole database's, in bytes."""

    tables: Sequence[TableSize]
    size: int


_known: dict[str, tuple[float, Sizes]] = {}


def table_sizes() -> Sizes:
    """Return the sizes, at most five minutes old, in two queries."""
    name = str(connection.settings_dict["NAME"])
    until, known = _known.get(name, (0.0, None))
    if known is not None and time.monotonic() < until:
        return known
    found = _measure()
    _known[name] = time.monotonic() + REMEMBERED_S, found
    return found


def forget_sizes() -> None:
    """Measure anew the next time: for tests."""
    _known.clear()


def _measure() -> Sizes:
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(_in_postgres() if is_postgres else _in_sqlite())
        rows = {name: (count, size) for name, count, size in cursor.fetchall()}
        cursor.execute(
            "SELECT pg_database_size(current_database())"
            if is_postgres
            else "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        (total,) = cursor.fetchone()
    return Sizes(
        [
            TableSize(model._meta.db_table, words, kept, *rows[model._meta.db_table])
            for model, words, kept in _GROWING
        ],
        total,
    )


def _in_sqlite() -> str:
    counts = (
        f"SELECT '{model._meta.db_table}', {_count(model._meta.db_table, kept)}, NULL"
        for model, _, kept in _GROWING
    )
    return " UNION ALL ".join(counts)


def _count(table: str, kept: str) -> str:
    """Ask for the span of the numbers of what is kept for ever: to count it would read it all."""
    if kept != KEPT_FOR_EVER:
        return f"(SELECT COUNT(*) FROM {table})"  # noqa: S608 - our own tables
    first, last = (f"(SELECT {end}(rowid) FROM {table})" for end in ("MIN", "MAX"))  # noqa: S608
    return f"COALESCE({last} - {first} + 1, 0)"


def _in_postgres() -> str:
    """Ask for the planner's estimates: exact enough, and free."""
    names = ", ".join(f"'{model._meta.db_table}'" for model, *_ in _GROWING)
    what = "relname, GREATEST(reltuples, 0)::bigint, pg_total_relation_size(oid)"
    where = f"relkind = 'r' AND relname IN ({names})"
    return f"SELECT {what} FROM pg_class WHERE {where}"  # noqa: S608 - our own tables
