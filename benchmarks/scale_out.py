"""Broadcast to thousands of accounts through several placement workers that share a PostgreSQL.

`scripts/with-postgresql .venv/bin/python -m benchmarks.scale_out` starts a server for it. The paper
broker must have exactly one order more of every account, and every worker must have sent.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, Section, hand_in
from tests.support.stack import Program, Stack, free_ports

PER_LOGIN = 50
READY_WITHIN_S = 1200.0
WORKING_WITHIN_S = 600.0
PATIENCE_S = 180.0
TAKEN = "Task orders.place_account_orders"
# A single paper broker answers all of them, on the processor of those who ask: nothing is to be
# given up because its answers come late.
SLOW_BROKER = {
    "TRADESWIM_READY_DEADLINE_S": "60",
    "TRADESWIM_BROKER_TIMEOUT_S": "30",
    "TRADESWIM_CLAIM_LEASE_S": "45",
}
# So far below the market that it rests.
SHARES: Mapping[str, Any] = {
    "strategy": "EQUITY",
    "legs": [{"symbol": "AAPL", "instruction": "BUY", "ratio": 1}],
    "order_type": "LIMIT",
    "limit": "5.00",
    "contracts": 1,
    "duration": "DAY",
    "session": "NORMAL",
    "accounts": "active",
    "confirm": ["PRICE_AWAY", "DUPLICATE_ORDER"],
}


def main() -> None:
    """Hand in what the broadcasts took, and who sent them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Broadcast again and again; end with a word if an account has not exactly one order more."""
    database = os.environ.get("DATABASE_URL", "")
    if not database.startswith("postgres"):
        raise SystemExit("Name a PostgreSQL in DATABASE_URL, or use scripts/with-postgresql.")
    with tempfile.TemporaryDirectory(prefix="tradeswim-bench-") as folder:
        port, paper_port = free_ports()
        settings = {
            "DATABASE_URL": database,
            "DEMO_ACCOUNTS": str(options.accounts),
            "DEMO_ACCOUNTS_PER_LOGIN": str(PER_LOGIN),
            "DEMO_TRADE": "0",
            "PLACEMENT_WORKERS": str(options.workers),
            **SLOW_BROKER,
        }
        stack = Stack(Path(folder) / "home", port, paper_port, **settings)
        try:
            program = Program(stack.wait_until_ready(READY_WITHIN_S), patience_s=PATIENCE_S)
            program.paper("market", {"speed": 0})
            runs = [
                _run(stack, program, options.accounts, options.workers) for _ in range(options.runs)
            ]
        finally:
            stack.stop()
    return [
        Section(
            name="scale-out",
            title=f"{options.accounts} accounts, {options.workers} placement workers, PostgreSQL",
            rows={
                label: {f"broadcast {one + 1}": run[label] for one, run in enumerate(runs)}
                for label in runs[0]
            },
            words="Milliseconds from the click, the product's own stamps. Every account had "
            "exactly one order more in the broker's books each time. Broker, database, Redis and "
            "workers share one machine.",
        )
    ]


def _run(stack: Stack, program: Program, accounts: int, workers: int) -> dict[str, Figure]:
    program.renew()
    before = _at_the_broker(program)
    taken = _chunks(stack, workers)
    answer = program.post_order(dict(SHARES))
    answer.raise_for_status()
    order = _wait_until_recorded(program, answer.json()["id"])
    new = _at_the_broker(program) - before
    if len(new) != accounts or set(new.values()) != {1}:
        raise SystemExit(f"{len(new)} accounts have new orders, {new.total()} in all")
    chunks = {name: count - taken[name] for name, count in _chunks(stack, workers).items()}
    if not all(chunks.values()):
        raise SystemExit(f"not every worker sent: {chunks}")
    return {**_times(order), **{f"chunks of {name}": count for name, count in chunks.items()}}


def _wait_until_recorded(program: Program, pk: int) -> Mapping[str, Any]:
    until = time.monotonic() + WORKING_WITHIN_S
    while time.monotonic() < until:
        program.renew()
        order: Mapping[str, Any] = program.get(f"orders/{pk}/")
        if all(one["sent_at"] for one in order["accounts"]):  # every answer is on record
            return order
        time.sleep(2)
    raise SystemExit("not every answer came to be on record")


def _times(order: Mapping[str, Any]) -> dict[str, Figure]:
    sent = sorted(datetime.fromisoformat(share["sent_at"]) for share in order["accounts"])
    clicked = sent[-1] - timedelta(milliseconds=order["broadcast_ms"])

    def after(at: datetime) -> float:
        return round((at - clicked).total_seconds() * 1000, 1)

    return {
        "first request sent": after(sent[0]),
        "half of the requests sent": after(sent[len(sent) // 2]),
        "last request sent": after(sent[-1]),
    }


def _chunks(stack: Stack, workers: int) -> dict[str, int]:
    """Count the chunks that each worker has taken from the queue, as its log tells."""
    names = ["placement", *(f"placement-{one}" for one in range(2, workers + 1))]
    logs = {name: (stack.home / "logs" / f"{name}.log").read_text() for name in names}
    return {
        name: sum(TAKEN in line and "received" in line for line in log.splitlines())
        for name, log in logs.items()
    }


def _at_the_broker(program: Program) -> Counter[str]:
    """Count every account's orders in the broker's books: its journal forgets old requests."""
    return Counter(order["account"] for order in program.paper("orders"))


if __name__ == "__main__":
    main()
