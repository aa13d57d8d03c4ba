"""Measure the click alone on fleets of any size, with a raw TLS sink as broker.

Milliseconds from the click, which is before the request is sent, to the product's own stamps of the
first, the middle and the last request sent; beside them the arrival of the last one at the sink.
"""

import argparse
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from benchmarks.bare import Bare, bare_installation, condor
from benchmarks.report import Figure, Section, hand_in, spread

PAUSE_S = 1.0
# Above this, a run waits until the connections that were used up are there again.
WARM_BY_ITSELF = 1000
LAPS = re.compile(r"(?:wrote|placed) \[.*?ms from the click: (?P<laps>.*?) \[(?P<click>\w+)\]")
STAGES = ("form", "guards", "transaction", "ring", "queue", "claim", "build", "send")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1, 45, 250, 1000])
    parser.add_argument("--placements", type=int, default=1, help="placement workers")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument(
        "--broadcasts", type=int, default=0, help="write so many to all accounts, and click again"
    )
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Click again and again, for each number of accounts; then with cold connections."""
    counts: list[int] = options.accounts
    if options.broadcasts:
        return [_with_history(max(counts), options.runs, options.broadcasts)]
    with bare_installation(max(counts), options.placements) as bare:
        _load(bare)
        warm = {count: _runs(bare, count, options.runs) for count in counts}
        stages = _stages(bare.said(), counts)
        few = [count for count in counts if count <= MOST_COLD]
        cold = {count: _runs(bare, count, options.runs, cold=True) for count in few}
    workers = f"{options.placements} placement worker" + "s" * (options.placements > 1)
    words = f"Click to …, medians of the runs, {workers}, raw TLS sink, the product's own stamps."
    name = f"clicks-{max(counts)}"
    return [
        Section(name, "Broadcast: milliseconds from the click", _rows(warm), words),
        *([Section(f"{name}-cold", "… with cold connections", _rows(cold))] if cold else []),
        Section(
            f"{name}-stages",
            "Where the milliseconds go, medians",
            stages,
            "With several chunks, `claim` lasts until the last chunk is claimed: the others are "
            "sent meanwhile.",
        ),
    ]


def _load(bare: Bare) -> None:
    """Load now what is loaded with the first click, in every process."""
    for _ in range(3):
        _click(bare, 1)


def _with_history(count: int, runs: int, broadcasts: int) -> Section:
    """Click on an empty database, and again with all that is written in a long time."""
    with bare_installation(count) as bare:
        from orders.models import AccountOrder
        from tests.support.history import fill_history

        _load(bare)
        found = {"nothing before it": _runs(bare, count, runs)}
        fill_history(accounts=count, broadcasts=broadcasts)
        orders = AccountOrder.objects.count()
        _load(bare)
        found[f"{orders:,} account orders before it"] = _runs(bare, count, runs)
    return Section(
        f"clicks-{count}-history",
        f"Broadcast to {count:,} accounts: milliseconds from the click",
        {name: _row(one) for name, one in found.items()},
        f"The same installation before and after {broadcasts:,} broadcasts were written to it.",
    )


# More connections than these are not opened at once; the ways back are what counts then.
MOST_COLD = 250


def _runs(bare: Bare, count: int, runs: int, *, cold: bool = False) -> list[dict[str, float]]:
    return [_click(bare, count, cold=cold) for _ in range(max(runs * 45 // max(count, 45), 5))]


def _click(bare: Bare, count: int, *, cold: bool = False) -> dict[str, float]:
    """Broadcast once to so many accounts; return milliseconds."""
    time.sleep(21 if count > WARM_BY_ITSELF else PAUSE_S)
    body = condor(bare.accounts[:count])
    bare.program.session.close()
    bare.program.get("orders/?limit=1")  # the browser's connection is open
    if cold:
        bare.sink.drop()
        time.sleep(0.05)
    clicked = time.time()
    answer = bare.program.post_order(body)
    answer.raise_for_status()
    arrived = max(bare.sink.take_all(count, within_s=30))
    order = bare.program.wait_for_order(answer.json()["id"], "WORKING")
    sent = sorted(datetime.fromisoformat(one["sent_at"]).timestamp() for one in order["accounts"])
    moments = {"first": sent[0], "half": sent[len(sent) // 2], "last": sent[-1], "arrived": arrived}
    return {name: (at - clicked) * 1000 for name, at in moments.items()}


def _rows(found: Mapping[int, list[dict[str, float]]]) -> dict[str, dict[str, Figure]]:
    return {
        f"{count:,} accounts" if count > 1 else "1 account": _row(runs)
        for count, runs in found.items()
    }


def _row(runs: Sequence[Mapping[str, float]]) -> dict[str, Figure]:
    of = {name: spread([run[name] for run in runs]) for name in runs[0]}
    return {
        "first sent": of["first"]["median"],
        "half sent": of["half"]["median"],
        "last sent": of["last"]["median"],
        "p95": of["last"]["p95"],
        "max": of["last"]["max"],
        "last arrived": of["arrived"]["median"],
        "runs": len(runs),
    }


def _stages(said: str, counts: Sequence[int]) -> dict[str, dict[str, Figure]]:
    """Read the laps of every click from the log, and group the clicks by their size."""
    clicks: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    sizes: dict[str, int] = defaultdict(int)
    for line in said.splitlines():
        if (found := LAPS.search(line)) is None:
            continue
        sizes[found["click"]] += sum(map(int, re.findall(r"'ACCEPTED'>: (\d+)", line)))
        for lap in found["laps"].split(", "):
            name, _, ms = lap.rpartition(" ")
            clicks[found["click"]][name].append(float(ms))
    rows: dict[str, dict[str, Figure]] = {}
    for count in counts:
        own = [_stages_of(clicks[click]) for click, size in sizes.items() if size == count]
        medians = [statistics.median(times) for times in zip(*own, strict=True)]
        rows[f"{count:,}"] = dict(zip(STAGES, (round(ms, 1) for ms in medians), strict=True))
    return rows


def _stages_of(laps: Mapping[str, list[float]]) -> list[float]:
    ends = [
        0.0,
        *(laps[name][0] for name in ("checked", "judged", "written", "rung")),
        min(laps["heard"]),
        *(max(laps[name]) for name in ("claimed", "built", "last sent")),
    ]
    return [max(end - begin, 0) for begin, end in pairwise(ends)]


if __name__ == "__main__":
    main()
