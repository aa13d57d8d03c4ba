"""Measure one run of each beat, stocks, options and balances, for fleets of different sizes.

Real beats, real database and Redis; the clock and the broker are simulated, and the broker's own
time is taken off. One account under each login, each with a key of its own: nothing is pooled.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.report import Figure, Section, hand_in, spread
from benchmarks.trader import BEAT_S, Day, Trader, always, begin, simulation

if TYPE_CHECKING:
    from benchmarks.pretend_broker import Clock, PretendBroker

SIZES = "45,1000,5000"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a beat took, without the pretend broker's part."""

    wall_ms: float
    cpu_ms: float
    calls: int
    statements: int


def main() -> None:
    """Hand in what the beats cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", default=SIZES, help="sizes of the fleets, by commas")
    parser.add_argument("--runs", type=int, default=7, help="of each beat in each state")
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Let the beats run over each fleet, with nothing to do and with orders everywhere."""
    sizes = [int(size) for size in options.accounts.split(",")]
    with simulation():
        from accounts.services import balance_beat
        from orders.services import order_beats

        with (
            patch.object(order_beats, "is_open", always),
            patch.object(balance_beat, "is_open", always),
        ):
            return [_fleet(size, options.runs) for size in sizes]


def _fleet(accounts: int, runs: int) -> Section:
    from orders.models import AccountOrder

    clock, broker, rows = begin(accounts, per_login=1)
    day = Day("", accounts, 1, streams=False, hours=0, broadcasts=2)
    trader = Trader(day, clock, broker, rows)
    beats = _Beats(clock, broker, runs)
    found = {
        "stocks, nothing works": beats.orders("STOCKS"),
        "options, nothing works": beats.orders("OPTIONS"),
    }
    for name in ("STOCKS", "OPTIONS"):  # which is what the trader buys, in this order
        trader.broadcast()
        found[f"{name.lower()}, first look at a broadcast"] = beats.orders(name, runs=1)
        found[f"{name.lower()}, an order works in each"] = beats.orders(name)
        AccountOrder.objects.update(status="FILLED")
    found["balances, first"] = beats.balances(runs=1)
    found["balances, nothing moved"] = beats.balances()
    broker.moves = True
    found["balances, all moved"] = beats.balances()
    return Section(
        name=f"beats-{accounts}",
        title=f"One run of a beat with {accounts} accounts, each its own login and key",
        rows={label: _row(ran) for label, ran in found.items()},
        words=f"{runs} runs each (one of those called first). Of the working orders half last 90 s "
        "on average, so every run also records some ends.",
    )


class _Beats:
    """Runs beats as the schedule does, with the simulated clock between them."""

    def __init__(self, clock: "Clock", broker: "PretendBroker", runs: int) -> None:
        self._clock, self._broker, self._runs = clock, broker, runs

    def orders(self, name: str, runs: int | None = None) -> list[Run]:
        from accounts.domain.beats import Beat
        from orders.services.order_beats import run_order_beat

        beat = Beat[name]
        return self._repeat(lambda: run_order_beat(beat, gateway=self._broker), BEAT_S, runs)

    def balances(self, runs: int | None = None) -> list[Run]:
        from accounts.services.balance_beat import run_accounts_beat

        return self._repeat(lambda: run_accounts_beat(gateway=self._broker), 3 * BEAT_S, runs)

    def _repeat(self, beat: Callable[[], Any], every_s: int, runs: int | None) -> list[Run]:
        ran = []
        for _ in range(self._runs if runs is None else runs):
            self._clock.at += timedelta(seconds=every_s)
            ran.append(self._run(beat))
        return ran

    def _run(self, beat: Callable[[], Any]) -> Run:
        broker = self._broker
        spent, calls = broker.spent_s, sum(broker.reads.values())
        with _counted_statements() as statements:
            began, worked = time.perf_counter(), time.process_time()
            beat()
            took, cpu = time.perf_counter() - began, time.process_time() - worked
        spent = broker.spent_s - spent
        return Run(
            wall_ms=(took - spent) * 1000,
            cpu_ms=(cpu - spent) * 1000,
            calls=sum(broker.reads.values()) - calls,
            statements=len(statements),
        )


@contextmanager
def _counted_statements() -> Iterator[list[str]]:
    from django.db import connection

    seen: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield seen


def _row(ran: Sequence[Run]) -> dict[str, Figure]:
    wall = spread([run.wall_ms for run in ran])
    return {
        **{f"wall ms {name}": figure for name, figure in wall.items()},
        "CPU ms median": spread([run.cpu_ms for run in ran])["median"],
        "calls": round(spread([run.calls for run in ran])["median"]),
        "statements": round(spread([run.statements for run in ran])["median"]),
    }


if __name__ == "__main__":
    main()
