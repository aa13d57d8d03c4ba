"""Broadcast with random faults for some minutes, drain, and count duplicates, lost, unresolved.

    python -m tests.faults.soak --minutes 10 [--seed S] [--accounts 45]

The installation runs with the product's own numbers. DATABASE_URL may name a PostgreSQL server.
"""

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import requests

from tests.faults.canary import leaked
from tests.faults.installation import Installation
from tests.faults.invariants import behind, duplicates, lost, problems
from tests.faults.soak.mishaps import Mishaps, lay_out
from tests.faults.soak.tickets import Tickets
from tests.faults.trader import Trader
from tests.faults.truth import OURS, Child, Truth, Witness

BROADCAST_EVERY_S, MISHAP_EVERY_S = 3.4, 6.0
DRAIN_S = 120
PATIENCE_S = 60
CREATED = (200, 201)


@dataclass
class Tally:
    """What was done."""

    broadcasts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Run it; 0 if nothing was placed twice, lost, or left unresolved."""
    options = _options()
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="tradeswim-soak-") as folder:
        home = options.keep or Path(folder) / "home"
        installation = Installation(home, settings={"DEMO_ACCOUNTS": str(options.accounts)})
        try:
            trader = Trader(installation, installation.wait_until_ready())
            return _soak(installation, trader, options)
        finally:
            installation.end()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--keep", type=Path, help="a home that is left where it is")
    return parser.parse_args()


def _soak(installation: Installation, trader: Trader, options: argparse.Namespace) -> int:
    witness = Witness(trader, installation.database)
    mishaps = Mishaps(installation, _dice(options.seed, "mishaps"), MISHAP_EVERY_S)
    mishaps.start()
    tally = _broadcast(trader, witness, options)
    mishaps.end()
    tally.faults += mishaps.counts
    say(f"{tally.broadcasts} broadcasts in; draining for up to {DRAIN_S} s")
    drained_s = _drain(trader, witness)
    wrongs = _report(witness.tell(), tally, drained_s)
    wrongs += leaked(installation, trader)
    for wrong in wrongs[:100]:
        say(wrong)
    return 1 if wrongs else 0


def _broadcast(trader: Trader, witness: Witness, options: argparse.Namespace) -> Tally:
    """Broadcast at fixed moments until the time is over; what was late catches up."""
    tally, tickets = Tally(), Tickets(trader)
    began = time.monotonic()
    number = 0
    while (due := number * BROADCAST_EVERY_S) < options.minutes * 60:
        time.sleep(max(0.0, began + due - time.monotonic()))
        dice = _dice(options.seed, f"broadcast {number}")
        lay_out(trader, dice, tally.faults)
        key = str(UUID(int=dice.getrandbits(128), version=4))
        if _click(trader, tickets.make(number), key, tally):
            tally.broadcasts += 1
        else:
            tally.given_up += 1
        witness.listen()
        number += 1
    return tally


def _click(trader: Trader, ticket: dict[str, Any], key: str, tally: Tally) -> bool:
    """Click until it is taken, always with the same key."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            answer = trader.click(ticket, key)
        except requests.RequestException as error:
            tally.refused[type(error).__name__] += 1
        else:
            if answer.status_code in CREATED:
                return True
            tally.refused[f"{answer.status_code} {answer.json().get('code', '')}"] += 1
        time.sleep(0.5)
    return False


def _drain(trader: Trader, witness: Witness) -> float:
    """Wait until everything is settled, with no fault left; return how long that took."""
    trader.session.delete(f"{trader.paper_url}/paper/faults", timeout=10)
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_S:
        truth = witness.tell()
        if not _unresolved(truth) and not behind(truth):
            break
        time.sleep(3)
    return time.monotonic() - began


def _unresolved(truth: Truth) -> list[Child]:
    return [child for child in truth.children if not child.is_settled or child.needs_agent]


def _report(truth: Truth, tally: Tally, drained_s: float) -> list[str]:
    """Print the sums; return what is wrong, in sentences."""
    ours = [order for order in truth.orders if order.tag.startswith(OURS)]
    twice, gone = duplicates(truth.children, ours), lost(truth.children, ours)
    unresolved = _unresolved(truth)
    counted = {
        "broadcasts": tally.broadcasts,
        "clicks given up": tally.given_up,
        "clicks refused and tried again": dict(tally.refused),
        "account orders": len(truth.children),
        "by status": dict(Counter(child.status for child in truth.children)),
        "orders at the broker": len(ours),
        "requests to place": len(truth.posts),
        "faults": sum(tally.faults.values()),
        "faults by kind": dict(sorted(tally.faults.items())),
        "drained in seconds": round(drained_s, 1),
        "duplicates": len(twice),
        "lost": len(gone),
        "unresolved": len(unresolved),
    }
    for name, count in counted.items():
        say(f"{name}: {count}")
    standing = [f"unresolved: {c.id} of order {c.order} is {c.status}" for c in unresolved]
    return [*problems(truth), *behind(truth), *standing]


def _dice(seed: str, purpose: str) -> random.Random:
    return random.Random(f"{seed} {purpose}")  # noqa: S311 - no secret comes of it


def say(line: str) -> None:
    """Tell the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
