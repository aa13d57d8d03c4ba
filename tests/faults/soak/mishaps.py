"""What the soak does to a running installation: to its accounts' requests and to its processes."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from tests.faults.installation import Installation
from tests.faults.trader import Trader

Fault = dict[str, Any]

PLACINGS: list[Fault] = [
    {"fault": "never_answer_after"},
    {"fault": "drop_before"},
    {"fault": "drop_after"},
    {"fault": "http_500"},
    {"fault": "http_500_after"},
    {"fault": "http_400_500_body"},
    {"fault": "http_429", "retry_after": 1},
    {"fault": "http_401"},
    {"fault": "html_403"},
    {"fault": "redirect"},
    {"fault": "bad_json"},
    {"fault": "truncated"},
    {"fault": "drip", "delay_ms": 500},
    {"fault": "no_location"},
    {"fault": "wrong_location"},
    {"fault": "reject"},
    {"fault": "late_listing", "delay_ms": 15_000},
    {"fault": "delay", "delay_ms": 3_000},
    {"fault": "delay", "delay_ms": 12_000},
]
READS: list[Fault] = [
    {"fault": "cut_list", "times": 2},
    {"fault": "http_500", "times": 2},
    {"fault": "bad_json"},
    {"fault": "delay", "delay_ms": 4_000},
]
KILLED = ["placement", "sweeper", "maint", "beat", "web", "options", "stocks", "logins"]
STOPPED = ["placement", "maint", "beat", "sweeper", "redis"]
QUEUE, WORKER_ASKS_S, TOO_LATE_S = "placement", 1.5, 12.0


def lay_out(trader: Trader, dice: random.Random, counts: Counter[str]) -> None:
    """Let one to four accounts of the next broadcast suffer, and perhaps a read of theirs."""
    for account in dice.sample(trader.accounts, dice.randint(1, min(4, len(trader.accounts)))):
        fault = dice.choice(PLACINGS)
        trader.fault(account=account, name=fault["fault"], **_rest(fault))
        counts[fault["fault"]] += 1
        if dice.random() < 0.25:
            read = dice.choice(READS)
            trader.fault(account=account, name=read["fault"], method="GET", **_rest(read))
            counts[f"{read['fault']} of a list"] += 1


def _rest(fault: Fault) -> Fault:
    return {name: value for name, value in fault.items() if name != "fault"}


class Mishaps:
    """Does one thing after the other to the processes, in the seed's order, until it is told.

    Every kind comes once before any comes again.
    """

    def __init__(self, installation: Installation, dice: random.Random, every_s: float) -> None:
        self._thread = threading.Thread(target=self._run, name="mishaps", daemon=True)
        self._installation = installation
        self._dice = dice
        self._every_s = every_s
        self._over = threading.Event()
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _run(self) -> None:
        kinds: list[tuple[str, Callable[[], None]]] = []
        while not self._over.wait(self._every_s):
            if not kinds:
                kinds = self._kinds()
                self._dice.shuffle(kinds)
            name, happen = kinds.pop()
            self.counts[name] += 1
            # A process that has just died cannot suffer anything else.
            with suppress(ProcessLookupError, AssertionError, redis.RedisError):
                happen()

    def end(self) -> None:
        """Let the last one pass, and no other begin."""
        self._over.set()
        self._thread.join()

    def _kinds(self) -> list[tuple[str, Callable[[], None]]]:
        kills = [(f"{name} killed", lambda name=name: self._kill(name)) for name in KILLED]
        stops = [(f"{name} stopped", lambda name=name: self._stop(name)) for name in STOPPED]
        return [
            *kills,
            *stops,
            ("redis killed", lambda: self._kill("redis")),
            ("redis emptied", self._flush),
            ("database locked", self._lock),
            ("message repeated", self._repeat),
            ("message withheld", self._withhold),
        ]

    def _kill(self, name: str) -> None:
        self._installation.kill(name)

    def _stop(self, name: str) -> None:
        with self._installation.stopped(name):
            time.sleep(self._dice.uniform(5, 20))

    def _flush(self) -> None:
        with self._queue() as queue:
            queue.flushall()

    def _lock(self) -> None:
        with self._installation.database.locked():
            time.sleep(self._dice.uniform(1, 8))

    def _repeat(self) -> None:
        with self._queue() as queue, self._installation.stopped("placement"):
            for message in self._caught(queue):
                for _ in range(10):
                    queue.lpush(QUEUE, message)

    def _withhold(self) -> None:
        with self._queue() as queue:
            with self._installation.stopped("placement"):
                messages = self._caught(queue)
                queue.delete(QUEUE)
            time.sleep(TOO_LATE_S)
            for message in messages:
                queue.lpush(QUEUE, message)

    def _caught(self, queue: "redis.Redis") -> list[Any]:
        """Wait for messages that nobody takes."""
        until = time.monotonic() + 6
        time.sleep(WORKER_ASKS_S)
        while not (found := queue.lrange(QUEUE, 0, -1)) and time.monotonic() < until:
            time.sleep(0.05)
        return list(found)

    def _queue(self) -> "redis.Redis":
        return redis.Redis.from_url(self._installation.redis_url(), socket_timeout=5)
