"""Let the beats run over 2,000 accounts under 200 keys: `make bench-fleet`.

Real beats, real database and Redis; the clock and the broker are simulated. Seconds of each run
and of its processor time, and the memory of the process.
"""

import argparse
import resource
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from unittest.mock import patch

from benchmarks.report import Section, hand_in, spread
from benchmarks.trader import BEAT_S, Day, Trader, always, begin, simulation

KEYS = 200


def main() -> None:
    """Hand in what the beats took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2000)
    parser.add_argument("--minutes", type=int, default=10)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Let the three beats run for some simulated minutes."""
    with simulation():
        from accounts.services import balance_beat
        from orders.services import order_beats

        with (
            patch.object(order_beats, "is_open", always),
            patch.object(balance_beat, "is_open", always),
        ):
            return _fleet(options.accounts, options.minutes)


def _fleet(accounts: int, minutes: int) -> list[Section]:
    """Let the three beats run over a big fleet with working orders everywhere; time each."""
    from accounts.domain.beats import Beat
    from accounts.services import balance_beat
    from orders.services import order_beats

    day = Day("", accounts, accounts // KEYS, streams=False, hours=0, broadcasts=2)
    clock, broker, rows = begin(accounts, day.per_login)
    trader = Trader(day, clock, broker, rows)
    trader.broadcast()
    trader.broadcast()
    took: dict[str, list[float]] = {beat: [] for beat in Beat}
    worked: dict[str, list[float]] = {beat: [] for beat in Beat}
    memory = []
    for second in range(0, minutes * 60, BEAT_S):
        for beat in Beat:
            if beat is Beat.ACCOUNTS and second % 15:
                continue
            began, had = time.monotonic(), time.process_time()
            if beat is Beat.ACCOUNTS:
                balance_beat.run_accounts_beat(gateway=broker)
            else:
                order_beats.run_order_beat(beat, gateway=broker)
            took[beat].append(time.monotonic() - began)
            worked[beat].append(time.process_time() - had)
        memory.append(_memory_mb())
        clock.at += timedelta(seconds=BEAT_S)
    return _sections(accounts, minutes, took, worked, memory)


def _sections(
    accounts: int,
    minutes: int,
    took: Mapping[str, Sequence[float]],
    worked: Mapping[str, Sequence[float]],
    memory: Sequence[float],
) -> list[Section]:
    """Say how long the beats took and worked, in seconds, and what the process grew to."""
    from accounts.domain.beats import Beat

    return [
        Section(
            name="fleet",
            title=f"Beats over {accounts} accounts, {KEYS} keys, two orders in each, seconds",
            rows={
                name: {
                    **spread(times, digits=2),
                    "CPU median": round(median(worked[name]), 2),
                    "period": 15 if name == Beat.ACCOUNTS else BEAT_S,
                }
                for name, times in took.items()
            },
            words=f"{minutes} simulated minutes.",
        ),
        Section(
            name="fleet memory",
            title="Memory of the process of these beats, MB",
            rows={
                f"after {minutes * 12} s": {"resident": round(memory[len(memory) // 5])},
                "at the end": {"resident": round(memory[-1])},
            },
        ),
    ]


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
