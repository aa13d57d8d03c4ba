"""Let the beats run over 2,000 accounts under 200 keys: `make bench-fleet`.

Real beats, real database and Redis; the clock and the broker are simulated. Seconds of each run
and of its processor time, and the memory of the process.
"""

import argparse
import resource
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from unittest.mock import patch

from benchmarks.trader import BEAT_S, Day, Trader, always, begin, simulation


def main() -> None:
    """Run the simulation and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2000)
    parser.add_argument("--minutes", type=int, default=10)
    options = parser.parse_args()
    with simulation():
        from accounts.services import balance_beat
        from orders.services import order_beats

        with (
            patch.object(order_beats, "is_open", always),
            patch.object(balance_beat, "is_open", always),
        ):
            print(_fleet_table(options.accounts, options.minutes))


def _fleet_table(accounts: int, minutes: int) -> str:
    """Let the three beats run over a big fleet with working orders everywhere; time each."""
    from accounts.domain.beats import Beat
    from accounts.services import balance_beat
    from orders.services import order_beats

    day = Day("", accounts, accounts // 200, streams=False, hours=0, broadcasts=2)
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
    lines = [
        f"| {accounts} accounts, 200 keys | p50 s | max s | CPU p50 s | period s |",
        "|---|---|---|---|---|",
    ]
    for name, times in took.items():
        period = 15 if name == Beat.ACCOUNTS else 5
        own = median(worked[name])
        row = f"| {name} | {median(times):.2f} | {max(times):.2f} | {own:.2f} | {period} |"
        lines.append(row)
    early = memory[len(memory) // 5]
    then = f"{early:.0f} after {minutes * 12} s"
    lines.append(f"| memory, MB | {then} | {memory[-1]:.0f} at the end | | |")
    return "\n".join(lines)


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
