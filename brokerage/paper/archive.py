"""Orders that are over, in a SQLite file: memory is for those something may still happen to."""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from brokerage.paper.orders import Order

TABLE = """
    CREATE TABLE IF NOT EXISTS finished (
        id INTEGER PRIMARY KEY, books TEXT NOT NULL, account TEXT NOT NULL,
        entered_at REAL NOT NULL, status TEXT NOT NULL, text BLOB NOT NULL, record BLOB NOT NULL
    )"""
INDEX = "CREATE INDEX IF NOT EXISTS by_account ON finished (account, entered_at)"

GREATEST_ID = 2**63 - 1  # SQLite has no room for more


@dataclass(frozen=True, slots=True)
class Finished:
    """An order that is over, as it is kept.

    Args:
        account: hash of its account.
        entered_at: Unix seconds by the broker's clock.
        text: its JSON as reads show it.
        record: its line of the state file.
    """

    id: int
    account: str
    entered_at: float
    status: str
    text: bytes
    record: bytes

    @classmethod
    def of(cls, order: Order, *, text: bytes, record: bytes) -> Self:
        """Make it of an order and what is kept of it."""
        return cls(order.id, order.account, order.entered_at, order.status, text, record)


class Archive:
    """The file; without a path nothing is kept, for there is nothing to come back to.

    One connection writes, in whatever thread; the other reads, and waits for nobody.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._books = self._tidied_for = ""
        self._in_use = threading.Lock()
        self._writing = self._reading = _connect(path)
        if path is not None:
            self._reading = _connect(path)

    def open(self, books: str) -> None:
        """Show the orders of these books from now on; those of others go with an `add`."""
        self._books = books

    def add(self, books: str, orders: Sequence[Finished]) -> None:
        """Write orders of these books to the disk, those it has already once more.

        Errors: sqlite3.Error, and then none of them was written.
        """
        rows = [
            (one.id, books, one.account, one.entered_at, one.status, one.text, one.record)
            for one in orders
        ]
        with self._in_use, self._writing as connection:
            if self._tidied_for != books:
                connection.execute("DELETE FROM finished WHERE books != ?", (books,))
            connection.executemany("INSERT OR REPLACE INTO finished VALUES (?,?,?,?,?,?,?)", rows)
        self._tidied_for = books

    def find(self, order_id: int) -> tuple[bytes, bytes] | None:
        """Return the text and the record of an order."""
        if order_id > GREATEST_ID:
            return None
        sql = "SELECT text, record FROM finished WHERE id = ? AND books = ?"
        found: tuple[bytes, bytes] | None = self._read(sql, order_id, self._books).fetchone()
        return found

    def of_account(self, account: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Go through the ids, texts and records of an account's orders, oldest first."""
        sql = "SELECT id, text, record FROM finished WHERE account = ? AND books = ? ORDER BY id"
        return self._read(sql, account, self._books)

    def everything(self) -> Iterator[tuple[int, str, bytes]]:
        """Go through the ids, accounts and texts of all orders, oldest first."""
        sql = "SELECT id, account, text FROM finished WHERE books = ? ORDER BY id"
        return self._read(sql, self._books)

    def listed(
        self, accounts: Collection[str], begin: float, end: float, *, status: str | None, most: int
    ) -> list[tuple[int, bytes]]:
        """Return the ids and texts of what was entered in these accounts in a window, newest first.

        Args:
            begin, end: Unix seconds, both included.
            status: only those with it; None for all.
            most: of so many orders.
        """
        sql = """
            SELECT id, text FROM finished WHERE account IN (SELECT value FROM json_each(?))
            AND entered_at BETWEEN ? AND ? AND books = ? AND status = coalesce(?, status)
            ORDER BY id DESC LIMIT ?"""
        names = json.dumps(list(accounts))
        return self._read(sql, names, begin, end, self._books, status, most).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._in_use:
            for connection in {self._reading, self._writing}:
                connection.close()

    def _read(self, sql: str, *values: object) -> sqlite3.Cursor:
        return self._reading.execute(sql, values)


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
    # With this journal who reads does not wait for who writes, of which there is only one.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(TABLE)
    connection.execute(INDEX)
    return connection
