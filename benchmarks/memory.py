"""Measure the memory of every process of `manage.py up`: at rest, at work, and with many accounts.

The figure is PSS: what a process has alone, and its part of what it shares with others; the sum is
therefore what all of them need together. A process's children (the web's workers) count with it.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from benchmarks.report import Section, hand_in
from tests.support.stack import Program, Stack, free_ports

# Beats have run and what they load is there.
SETTLE_S = 20.0
BROADCASTS = 5
# Positions are not trusted for two seconds after a close of the same legs.
PAUSE_S = 3.0
LONG_S = 300.0
ENDED = ("FILLED", "PARTIAL", "CLOSED_OUT")
# Longer than any answer takes, for a busy machine is no reason to break off.
PATIENCE_S = 90.0
ALL = "all together"


def main() -> None:
    """Hand in the memory of an installation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="of entries and exits; 0: one broadcast"
    )
    parser.add_argument(
        "--every", type=float, default=0.0, help="seconds from one entry to the next at least"
    )
    parser.add_argument("--name", default="memory", help="of the figures that are kept")
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Look at the processes of an installation at rest and at work."""
    shown: dict[str, dict[str, float]] = {}
    with _installation(options.accounts) as (stack, ready):
        program = Program(ready, patience_s=PATIENCE_S)
        shown["at rest"] = _settled(stack, ready)
        if options.minutes:
            rounds = _work(stack, ready, program, options, shown)
            pace = f", one every {options.every:g} s" if options.every else ""
            words = (
                f"{rounds} whole entries and exits in the {options.minutes:g} minutes{pace}; "
                f"the others after {SETTLE_S:g} s of rest."
            )
        else:
            _fill_all(program)
            shown["after a broadcast to all"] = _settled(stack, ready)
            words = f"Each after {SETTLE_S:g} s of rest."
    return [
        Section(
            name=options.name,
            title=f"Memory with {options.accounts:,} accounts, MB PSS",
            rows=_by_process(shown),
            words=words,
        )
    ]


def _work(
    stack: Stack,
    ready: dict[str, Any],
    program: Program,
    options: argparse.Namespace,
    shown: dict[str, dict[str, float]],
) -> int:
    """Enter and exit for so long; return how often that was done."""
    body, minutes = program.condor(), options.minutes
    for _ in range(BROADCASTS):
        _round(program, body)
    shown[f"after {BROADCASTS} entries and exits"] = _settled(stack, ready)
    began, rounds = time.monotonic(), 0
    for part in (1 / 3, 2 / 3, 1.0):
        while (now := time.monotonic()) < began + part * minutes * 60:
            rounds += _round(program, body)
            time.sleep(max(now + options.every - time.monotonic(), 0))
        shown[f"after {part * minutes:.2g} minutes more"] = _look(stack, ready)
    return rounds


def _fill_all(program: Program) -> None:
    """Broadcast once, and wait until nothing of it works any more; a busy database says 503."""
    order = program.post_order(program.condor()).json()["id"]
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        try:
            program.renew()
            if program.get(f"orders/{order}/")["status"] in ENDED:
                return
        except requests.HTTPError as error:
            sys.stderr.write(f"asked once more: {error}\n")
        time.sleep(2)
    raise SystemExit("The broadcast did not end.")


@contextmanager
def _installation(accounts: int) -> Iterator[tuple[Stack, dict[str, Any]]]:
    with tempfile.TemporaryDirectory(prefix="tradeswim-bench-") as folder:
        stack = Stack(
            Path(folder) / "home", *free_ports(), DEMO_ACCOUNTS=str(accounts), DEMO_TRADE="0"
        )
        try:
            yield stack, stack.wait_until_ready(LONG_S * 2)
        finally:
            stack.stop()


def _round(program: Program, body: dict[str, Any]) -> bool:
    """Enter in every account and exit again, so that no account runs out of buying power.

    False if it was not done: on a machine that stands still now and then, deadlines pass.
    """
    try:
        program.renew()
        entry = program.post_order(body).json()["id"]
        program.wait_for_order(entry, *ENDED, seconds=PATIENCE_S)
        placed = [one["id"] for one in program.get("sets/") if one["order"] == entry]
        return bool(placed) and _exit(program, f"sets/{placed[0]}/")
    except (requests.RequestException, AssertionError) as error:
        sys.stderr.write(f"a round was broken off: {error}\n")
        return False


def _exit(program: Program, path: str) -> bool:
    time.sleep(PAUSE_S)
    answer = program.session.post(
        f"{program.url}{path}exit/",
        json={"limit": program.get(path)["exit_prices"]["natural"]},
        headers={"Idempotency-Key": str(uuid4())},
        timeout=PATIENCE_S,
    )
    answer.raise_for_status()
    until = time.monotonic() + PATIENCE_S
    while not (is_flat := bool(program.get(path)["flat_at"])) and time.monotonic() < until:
        time.sleep(0.2)
    return is_flat


def _settled(stack: Stack, ready: Mapping[str, Any]) -> dict[str, float]:
    time.sleep(SETTLE_S)
    return _look(stack, ready)


def _look(stack: Stack, ready: Mapping[str, Any]) -> dict[str, float]:
    """Return each process's megabytes with its children, and those of all."""
    children = _children()
    found = {"up": _pss_mb(stack.process.pid)}
    for name, pid in ready["processes"].items():
        found[name] = sum(_pss_mb(one) for one in _tree(pid, children))
    return {**found, ALL: sum(_pss_mb(one) for one in _tree(stack.process.pid, children))}


def _children() -> dict[int, list[int]]:
    children = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2]
        except OSError:  # it has ended since
            continue
        children[int(after_name.split()[1])].append(int(folder.name))
    return children


def _tree(pid: int, children: Mapping[int, Sequence[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _tree(child, children)


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:  # it died, and another one stands in its place
        return 0.0
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith("Pss:")]
    return int(kilobytes) / 1024


def _by_process(shown: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    names = list(next(iter(shown.values())))
    return {
        name: {moment: round(found[name], 1) for moment, found in shown.items()} for name in names
    }


if __name__ == "__main__":
    main()
