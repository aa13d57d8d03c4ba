"""Keep the paper broker's state in a file: one JSON record a line, replaced as a whole.

Orders that ended a while ago move to an archive beside it, or the file, and the memory of the
process, would grow for as long as somebody trades.
"""

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from brokerage.paper import records
from brokerage.paper.archive import Archive, Finished
from brokerage.paper.books import Books
from brokerage.paper.broker import Broker
from brokerage.paper.order_records import Record, order_record

VERSION = 1
# For how long an order that is over stays in memory, and how many leave it at once.
KEPT_S, MOST_MOVED = 60.0, 500


class BrokenState(Exception):
    """The state file cannot be understood."""


class StateFile:
    """The file, and its lines as they were written last, so that only changes are written anew.

    Attributes:
        saved_at: Unix seconds of the last save.
    """

    def __init__(self, path: Path) -> None:
        self.saved_at = time.time()
        self._path = path
        self._books: Books | None = None
        self._accounts: dict[str, bytes] = {}
        self._orders: dict[int, bytes] = {}

    def seed(self, usual: int) -> int:
        """Return the seed of the saved state, which decides over its logins.

        Raises:
            BrokenState: the file is not a state of this version.
        """
        saved = self._read()
        return int(saved[0]["seed"]) if saved else usual

    def load(self, broker: Broker) -> None:
        """Bring the broker to the saved state, if there is one.

        Accounts and logins of the seed that the file does not know stay as they are.

        Raises:
            BrokenState: the file is not a state of this version.
        """
        loaders: dict[str, Callable[[Broker, Record], None]] = {
            "broker": records.load_broker,
            "login": records.load_login,
            "account": records.load_account,
            "order": records.load_order,
        }
        try:
            saved = self._read()
            broker.archive.close()
            broker.archive = Archive(self._path.with_name(f"{self._path.name}.archive"))
            broker.archive.open(broker.books.name)
            for record in saved:
                loaders[record["kind"]](broker, record)
        except (ValueError, KeyError, TypeError, ArithmeticError, sqlite3.Error) as problem:
            raise BrokenState(f"The state {self._path} is broken: {problem!r}.") from problem

    async def save(self, broker: Broker, *, always: bool = False) -> None:
        """Write the state if anything but prices has changed, or `always`.

        A thread waits for the disk.

        Errors: OSError, sqlite3.Error; then what was not written is written by a later call.
        """
        await self._move_finished(broker)
        books = broker.books
        is_changed = broker.is_changed or broker.oauth.is_changed or books is not self._books
        if not (always or is_changed or books.changed_orders or books.changed_accounts):
            return
        self._renew_lines(books)
        self.saved_at = time.time()
        broker.is_changed = broker.oauth.is_changed = False
        head = [records.broker_record(broker, VERSION)]
        head += [records.login_record(login) for login in broker.oauth.logins.values()]
        lines = [*map(_dump, head), *self._accounts.values(), *self._orders.values()]
        try:
            await asyncio.to_thread(_replace, self._path, b"\n".join(lines) + b"\n")
        except OSError:
            broker.is_changed = True
            raise

    async def _move_finished(self, broker: Broker) -> None:
        """Let orders that ended a while ago leave the books as soon as the archive has them."""
        books = broker.books
        if books is not self._books:
            return
        orders = books.finished(before=broker.now - KEPT_S, most=MOST_MOVED)
        if not orders:
            return
        finished = [
            Finished.of(order, text=broker.order_text(order), record=self._orders[order.id])
            for order in orders
        ]
        await asyncio.to_thread(broker.archive.add, books.name, finished)
        books.forget(orders)
        for order in orders:
            self._orders.pop(order.id, None)
        broker.is_changed = True

    def _renew_lines(self, books: Books) -> None:
        """Dump the accounts and orders that have changed; all of them if the books are new."""
        accounts, orders = books.changed_accounts, books.changed_orders
        if books is not self._books:
            self._books, self._accounts, self._orders = books, {}, {}
            accounts, orders = set(books.accounts), set(books.orders)
        for name in accounts:
            self._accounts[name] = _dump(records.account_record(books.accounts[name]))
        for order_id in sorted(orders):
            self._orders[order_id] = _dump(order_record(books.orders[order_id]))
        books.changed_accounts, books.changed_orders = set(), set()

    def _read(self) -> list[Record]:
        if not self._path.exists():
            return []
        try:
            saved = [json.loads(line) for line in self._path.read_bytes().splitlines()]
            is_ours = bool(saved) and saved[0]["version"] == VERSION
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise BrokenState(f"The state {self._path} cannot be read: {problem!r}.") from problem
        if not is_ours:
            raise BrokenState(f"{self._path} is not a state of version {VERSION}.")
        return saved


def _dump(record: Record) -> bytes:
    return json.dumps(record, default=str, separators=(",", ":")).encode()


def _replace(path: Path, text: bytes) -> None:
    """Replace the file so that a crash leaves the old or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
