"""Installations of a benchmark's own: nothing of the outer one is read or written."""

import argparse
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.stack import Program, Stack, free_ports, without_outer_settings

LOOK_EVERY_S = 0.01
# A thousand accounts are signed in, one login after the other, before the installation is ready.
READY_WITHIN_S = 400
# Whoever manages so many accounts has several under one login.
MANY_ACCOUNTS = 250
PER_LOGIN = 10


@contextmanager
def own_installation(settings_module: str) -> Iterator[Path]:
    """Set up Django with a home, a database and keys of its own; yield the home, then remove it.

    Django is set up once per process, so a benchmark asks for this once.
    """
    home = Path(tempfile.mkdtemp(prefix="tradeswim-bench-"))
    own = {"TRADESWIM_HOME": str(home), "DJANGO_SETTINGS_MODULE": settings_module}
    alone = without_outer_settings(os.environ) | own
    os.environ.clear()
    os.environ.update(alone)
    try:
        _set_up()
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _set_up() -> None:
    import django

    django.setup()

    from accounts.domain.envelope import KeyRing
    from accounts.fields import write_key_ring

    write_key_ring(KeyRing.fresh())


@dataclass(frozen=True, slots=True)
class Record:
    """The database of a running installation, as a reader beside it sees it."""

    database: sqlite3.Connection

    def one(self, question: str, *given: Any) -> Any:
        """Return the first column of the first row, None without one."""
        row = self.database.execute(question, given).fetchone()
        return None if row is None else row[0]

    def wait(self, question: str, *given: Any, seconds: float = 120) -> Any:
        """Ask again and again until the answer is neither zero nor empty; return it."""
        return wait_for(lambda: self.one(question, *given), question, seconds=seconds)

    def order(self, pk: int, status: str) -> None:
        """Wait until a broadcast has this status."""
        self.wait("SELECT id FROM orders_complexorder WHERE id = ? AND status = ?", pk, status)


@dataclass(frozen=True, slots=True)
class Running:
    """A whole installation that is ready, with what asks it."""

    stack: Stack
    ready: dict[str, Any]
    program: Program
    record: Record


@contextmanager
def whole_installation(accounts: int, **settings: str) -> Iterator[Running]:
    """Start everything as an operator does, on empty accounts; stop it and remove it all after.

    Beyond 250 accounts ten of them are under one login.
    """
    per_login = 1 if accounts <= MANY_ACCOUNTS else PER_LOGIN
    own = {"DEMO_ACCOUNTS": str(accounts), "DEMO_ACCOUNTS_PER_LOGIN": str(per_login)} | settings
    port, paper_port = free_ports()
    with tempfile.TemporaryDirectory(prefix="tradeswim-bench-") as folder:
        home = Path(folder) / "home"
        stack = Stack(home, port, paper_port, DEMO_TRADE="0", **own)
        try:
            ready = stack.wait_until_ready(READY_WITHIN_S)
            address = f"file:{home / 'db.sqlite3'}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=30)) as database:
                yield Running(stack, ready, Program(ready), Record(database))
        finally:
            stack.stop()


def wait_until_heard(running: Running, accounts: int) -> None:
    """Wait until the broker's stream of every login is listened to."""

    def all_listen() -> bool:
        shown = running.program.paper("stream")["streams"]
        return len(shown) == accounts and all(one["is_subscribed"] for one in shown)

    wait_for(all_listen, "every stream is listened to")


def moment(written: str) -> float:
    """Return a moment as SQLite keeps it, in Unix seconds."""
    return datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()


def wait_for(look: Callable[[], Any], what: str, *, seconds: float = 120) -> Any:
    """Return what `look` finds, as soon as it finds something."""
    until = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > until:
            raise SystemExit(f"In vain for {seconds:.0f} s: {what}")
        time.sleep(LOOK_EVERY_S)
    return found


def add_sizes(parser: argparse.ArgumentParser, *, runs: int) -> None:
    """Let the command line say how many accounts, and how often."""
    parser.add_argument("--accounts", type=int, nargs="+", default=[45, 1000])
    parser.add_argument("--runs", type=int, default=runs, help="of the largest fleet a quarter")


def sizes(options: argparse.Namespace) -> list[tuple[int, int]]:
    """Return how many accounts, with how many runs: of more than 250 a quarter, but two."""
    few = max(options.runs // 4, 2)
    return [(one, options.runs if one <= MANY_ACCOUNTS else few) for one in options.accounts]
