"""Measure what a simulated trading day of 40 broadcasts costs in reads: `make bench-polling`.

The real beats run against the real database and Redis; the clock and the broker are simulated, so
that a day lasts minutes. Compared with (a) a read of every order of the day every beat, (b) of
each working order every beat, (c) one pooled call per account every beat.
"""

import argparse
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.report import Figure, Section, hand_in, spread
from benchmarks.trader import BEAT_S, Day, Trader, always, begin, simulation

if TYPE_CHECKING:
    from benchmarks.pretend_broker import Clock, PretendBroker


def main() -> None:
    """Hand in what the simulated days cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--broadcasts", type=int, default=40)
    parser.add_argument("--hours", type=float, default=6.5)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Let three days pass: a login for each account with streams, few logins, and one login."""
    with simulation():
        size = {"hours": options.hours, "broadcasts": options.broadcasts}
        few = max(options.accounts // 5, 1)
        days = [
            Day(f"{options.accounts} logins, streams", options.accounts, 1, streams=True, **size),
            Day(f"{few} logins, no streams", few, 1, streams=False, **size),
            Day("1 login, no streams", options.accounts, options.accounts, streams=False, **size),
        ]
        for day in days:
            _run_day(day)
        found = {day.name: _result(day) for day in days}
    labels = list(next(iter(found.values())))
    return [
        Section(
            name="polling",
            title=f"Reads of a simulated day of {options.hours} hours, "
            f"{options.broadcasts} broadcasts",
            rows={label: {name: day[label] for name, day in found.items()} for label in labels},
            words="(a) a read of every order of the day every beat, (b) of each working order "
            "every beat, (c) one pooled call per account every beat.",
        )
    ]


def _run_day(day: Day) -> None:
    from orders.services import order_beats

    clock, broker, accounts = begin(day.accounts, day.per_login)
    told = frozenset(broker.accounts) if day.streams else frozenset()
    trader = Trader(day, clock, broker, accounts)
    with (
        patch.object(order_beats, "healthy_streams", lambda **_: told),
        patch.object(order_beats, "is_open", always),
    ):
        _let_pass(day, trader, clock, broker)
    day.calls = broker.reads["lists"] + broker.reads["single orders"]


def _let_pass(day: Day, trader: Trader, clock: "Clock", broker: "PretendBroker") -> None:
    from accounts.domain.beats import Beat
    from orders.services import order_beats

    beats = int(day.hours * 3600 / BEAT_S)
    for beat in range(beats):
        if beat % max(beats // day.broadcasts, 1) == 0:
            trader.broadcast()
        trader.count()
        for kind in (Beat.STOCKS, Beat.OPTIONS):
            order_beats.run_order_beat(kind, gateway=broker)
        trader.see()
        trader.hear()
        clock.at += timedelta(seconds=BEAT_S)


def _result(day: Day) -> dict[str, Figure]:
    if not day.delays:
        raise SystemExit(f"{day.name}: no order ended in so short a day; give more --hours.")
    known, bound = spread(day.delays, digits=2), spread(day.bound, digits=2)
    return {
        "calls": day.calls,
        "(a) every order, every beat": day.every_order,
        "(b) each working order, every beat": day.every_working,
        "(c) per account, every beat": day.every_account,
        "% of (a)": round(100 * day.calls / day.every_order, 2),
        "% of (b)": round(100 * day.calls / day.every_working, 2),
        "% of (c)": round(100 * day.calls / day.every_account, 2),
        "end known after, p50 s": known["median"],
        "end known after, p95 s": known["p95"],
        "(a) to (c) p50 s": bound["median"],
        "(a) to (c) p95 s": bound["p95"],
    }


if __name__ == "__main__":
    main()
