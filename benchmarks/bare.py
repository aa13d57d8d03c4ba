"""The way of a click alone, on a fleet of any size: web, queue, placement, and a sink as broker.

Nothing polls and nothing streams, so that a broadcast to thousands is measured by itself. All that
keeps orders safe is on. Django is set up once per process, so a benchmark makes one of these.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.installation import own_installation
from benchmarks.sink import Sink
from tests.support.stack import PASSWORD, Program

PER_LOGIN = 10
READY_WITHIN_S = 120


@dataclass(frozen=True)
class Bare:
    """A running installation.

    Args:
        accounts: the ids of all accounts, in grid order.
        logs: what its processes say.
    """

    program: Program
    sink: Sink
    accounts: Sequence[str]
    logs: Path

    def wait_until_warm(self) -> None:
        """Wait for the placement workers' next round of connections."""
        time.sleep(WARM_EVERY_S)

    def said(self) -> str:
        """Return what the processes have logged so far."""
        return "\n".join(one.read_text(errors="replace") for one in self.logs.glob("*.log"))


# A round of tradeswim/warmth.py, and a little more.
WARM_EVERY_S = 21.0


@contextmanager
def bare_installation(accounts: int, placements: int = 1) -> Iterator[Bare]:
    """Start one with so many accounts and placement workers."""
    with own_installation("tradeswim.settings.dev") as home, ExitStack() as stack:
        from tests.support.paper import free_port
        from tests.support.redis_server import RedisServer

        (home / "redis").mkdir()
        redis = RedisServer(home / "redis")
        stack.callback(redis.stop)
        sink = stack.enter_context(Sink(home / "sink"))
        port = free_port()
        os.environ.update(
            REDIS_URL=redis.url,
            PORT=str(port),
            TRADESWIM_BROKER_URL=sink.url,
            TRADESWIM_BROKER_CA_FILE=sink.ca_file,
        )
        ids = _fill(accounts)
        (home / "logs").mkdir(exist_ok=True)
        for number in range(placements):
            _start(stack, home, f"placement{number or ''}", _worker(number))
        _start(stack, home, "web", ["-m", "gunicorn", "-c", "python:tradeswim.gunicorn_conf"])
        url = f"http://127.0.0.1:{port}"
        _wait(home, url, placements)
        ready = {"url": url, "paper_url": "", "user": "agent", "password": PASSWORD}
        yield Bare(Program(ready), sink, ids, home / "logs")


def _fill(accounts: int) -> list[str]:
    from django.core.management import call_command
    from django.db import transaction
    from django.utils import timezone

    from accounts.domain.words import Role
    from accounts.models import User
    from tests.support.make import make_account, make_login, make_token

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    with transaction.atomic():
        User.objects.create_user("agent", password=PASSWORD, role=Role.AGENT)
        rows = []
        for first in range(0, accounts, PER_LOGIN):
            login = make_login(app_key=f"key {first}")
            soon = timezone.now() + timedelta(hours=8)
            make_token(login, access=f"token {first} " + "t" * 200, access_expires_at=soon)
            own = range(first, min(first + PER_LOGIN, accounts))
            rows += [make_account(login, position=number, alias=f"A{number}") for number in own]
    return [str(row.pk) for row in rows]


def _worker(number: int) -> list[str]:
    return [
        *("-m", "celery", "-A", "tradeswim.celery", "worker", "-n", f"placement{number}@%h"),
        *("-P", "threads", "-c", "16", "-Q", "placement", "--without-mingle", "--without-gossip"),
        *("-l", "info", "--disable-prefetch"),
    ]


def _start(stack: ExitStack, home: Path, name: str, arguments: list[str]) -> None:
    with (home / "logs" / f"{name}.log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "TRADESWIM_PROCESS": name},
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def stop() -> None:
        process.terminate()
        process.wait(timeout=30)

    stack.callback(stop)


def _wait(home: Path, url: str, placements: int) -> None:
    """Wait until all say that they are ready."""
    from tradeswim.up.probes import answers

    until = time.monotonic() + READY_WITHIN_S
    names = [f"placement{number or ''}" for number in range(placements)]
    files = [home / "run" / f"{name}.ready" for name in names]
    while not (answers(f"{url}/sign-in/") and all(one.exists() for one in files)):
        if time.monotonic() > until:
            raise TimeoutError((home / "logs" / "web.log").read_text())
        time.sleep(0.2)


def condor(accounts: Sequence[str]) -> dict[str, Any]:
    """Return a five-wide SPXW condor to these accounts, at a price that nobody judges."""
    from django.utils import timezone

    from strategies.domain.new_york import exchange_date

    day = exchange_date(timezone.now()) + timedelta(days=30)
    while day.weekday() > 4:
        day += timedelta(days=1)
    legs = (
        ("P", 6245, "BUY_TO_OPEN"),
        ("P", 6250, "SELL_TO_OPEN"),
        ("C", 6450, "SELL_TO_OPEN"),
        ("C", 6455, "BUY_TO_OPEN"),
    )
    return {
        "strategy": "IRON_CONDOR",
        "legs": [
            {"symbol": f"SPXW  {day:%y%m%d}{side}{strike * 1000:08d}", "instruction": word}
            for side, strike, word in legs
        ],
        "order_type": "LIMIT",
        "price_effect": "NET_CREDIT",
        "limit": "1.05",
        "contracts": 1,
        "duration": "DAY",
        "session": "NORMAL",
        "accounts": {"ids": list(accounts)},
        "confirm": ["PRICE_AWAY", "DUPLICATE_ORDER", "NO_MARKET_MULTILEG"],
    }
