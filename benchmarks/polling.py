"""Measure what a simulated trading day of 40 broadcasts costs in reads: `make bench-polling`.

The real beats run against the real database and Redis; the clock and the broker are simulated, so
that a day lasts a minute. Compared with (a) a read of every order of the day every beat, (b) of
each working order every beat, (c) one pooled call per account every beat. With `--fleet 2000` it
lets the beats run for ten minutes over that many accounts under 200 keys instead.
"""

import argparse
import json
import os
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from accounts.models import Account
    from benchmarks.pretend_broker import Clock, PretendBroker

BEAT_S = 5
HEARD_AFTER_S = 0.4


@dataclass
class Day:
    """One simulated day.

    Args:
        streams: whether the broker tells of changes by itself, so that polls go slower.
        delays: seconds from each end at the broker until it was in the database.
    """

    name: str
    accounts: int
    per_login: int
    streams: bool
    hours: float
    broadcasts: int
    calls: int = 0
    every_order: int = 0
    every_working: int = 0
    every_account: int = 0
    delays: list[float] = field(default_factory=list)
    bound: list[float] = field(default_factory=list)


def main() -> None:
    """Run the simulations and print a Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=45)
    parser.add_argument("--broadcasts", type=int, default=40)
    parser.add_argument("--hours", type=float, default=6.5)
    parser.add_argument("--fleet", type=int, default=0, help="accounts under 200 keys")
    parser.add_argument("--minutes", type=int, default=10, help="with --fleet")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with _installation():
        if options.fleet:
            print(_fleet_table(options.fleet, options.minutes))
            return
        size = {"hours": options.hours, "broadcasts": options.broadcasts}
        few = max(options.accounts // 5, 1)
        days = [
            Day(f"{options.accounts} logins, streams", options.accounts, 1, streams=True, **size),
            Day(f"{few} logins, no streams", few, 1, streams=False, **size),
            Day("1 login, no streams", options.accounts, options.accounts, streams=False, **size),
        ]
        for day in days:
            _run_day(day)
        found = [_result(day) for day in days]
    print(json.dumps(found, indent=1) if options.json else _table(found))


@contextmanager
def _installation() -> Iterator[None]:
    """Set up Django with a database and a Redis of its own, and take them away again."""
    home = tempfile.mkdtemp(prefix="tradeswim-bench-")
    os.environ["TRADESWIM_HOME"] = home
    os.environ["DATABASE_URL"] = f"sqlite:///{home}/db.sqlite3"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.test")
    import logging

    import django

    django.setup()
    logging.disable(logging.WARNING)
    from django.conf import settings

    from accounts.domain.envelope import KeyRing
    from accounts.fields import write_key_ring
    from tests.support.redis_server import RedisServer

    write_key_ring(KeyRing.fresh())
    server = RedisServer(Path(tempfile.mkdtemp(prefix="redis-", dir=home)))
    settings.CACHE_URL = settings.REDIS_URL = server.url
    try:
        yield
    finally:
        server.stop()
        shutil.rmtree(home)


def _begin(accounts: int, per_login: int) -> "tuple[Clock, PretendBroker, list[Account]]":
    """Make a new database with a fleet; the clock stands at the opening."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from accounts.services.beat_runs import forget_runs
    from accounts.services.read_times import forget_reads
    from accounts.services.short_memory import short_memory
    from benchmarks.pretend_broker import Clock, PretendBroker
    from brokerage.budget import the_budget
    from orders.services.order_beats import forget_counts
    from orders.services.polling import forget_what_is_on_the_way
    from tests.support.make import make_account, make_login, make_token

    # The audit trail cannot be emptied, so every simulation has a database of its own.
    connection.close()
    Path(connection.settings_dict["NAME"]).unlink(missing_ok=True)
    call_command("migrate", verbosity=0)
    short_memory().flushall()
    for forget in (forget_runs, forget_reads, forget_counts, forget_what_is_on_the_way):
        forget()
    clock = Clock(_real_now())
    timezone.now = clock.now
    the_budget().clock = clock.seconds
    broker, rows = PretendBroker(clock, {}, {}), []
    for index in range(accounts // per_login):
        login = make_login(app_key=f"key {index}")
        make_token(login, access=f"token {index}", access_expires_at=clock.at + timedelta(days=2))
        broker.logins[f"Bearer token {index}"] = login.pk
        own = [make_account(login) for _ in range(per_login)]
        broker.accounts[login.pk] = [account.number.open() for account in own]
        rows += own
    return clock, broker, rows


def _real_now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _run_day(day: Day) -> None:
    from accounts.domain.beats import Beat
    from orders.services import order_beats

    clock, broker, accounts = _begin(day.accounts, day.per_login)
    told = frozenset(broker.accounts) if day.streams else frozenset()
    vars(order_beats).update(healthy_streams=lambda **_: told, is_open=_always)
    trader = _Trader(day, clock, broker, accounts)
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
    day.calls = broker.reads["lists"] + broker.reads["single orders"]


class _Trader:
    """Broadcasts, and watches how long it takes until an end at the broker is known here."""

    def __init__(
        self, day: Day, clock: "Clock", broker: "PretendBroker", accounts: "list[Account]"
    ) -> None:
        from tests.support.make import make_user

        self._day, self._clock, self._broker = day, clock, broker
        self._accounts = accounts
        self._dice = random.Random(40)  # noqa: S311 - a day to repeat
        self._agent = make_user()
        self._made = 0
        self._open: dict[Any, Any] = {}

    def broadcast(self) -> None:
        """Let every account have one more order; every other broadcast is in shares."""
        from orders.models import AccountOrder, AccountOrderLeg, ComplexOrder

        is_stock = self._made % 2 == 0
        order = ComplexOrder.objects.create(
            strategy="EQUITY" if is_stock else "SINGLE_OPTION",
            name="Shares" if is_stock else "Option",
            underlying="AAPL",
            order_type="LIMIT",
            limit="2.50",
            duration="DAY",
            session="NORMAL",
            contracts=1,
            status="WORKING",
            agent=self._agent,
            idempotency_key=uuid4(),
            body_hash="0" * 64,
            clicked_at=self._clock.at,
        )
        children, legs = [], []
        for account in self._accounts:
            shown = self._order(account, is_stock)
            child = self._child(order, account, shown)
            children.append(child)
            legs.append(
                AccountOrderLeg(
                    child=child,
                    number=0,
                    symbol=shown.symbol,
                    instruction=shown.instruction,
                    quantity=1,
                )
            )
            self._open[child.pk] = shown
        AccountOrder.objects.bulk_create(children)
        AccountOrderLeg.objects.bulk_create(legs)
        self._made += 1

    def count(self) -> None:
        """Count what the three simpler ways would ask at this beat, for both kinds of orders."""
        now = self._clock.at
        self._day.every_order += self._made * len(self._accounts)
        self._day.every_working += sum(one.ends_at > now for one in self._open.values())
        # Two beats: shares and options.
        self._day.every_account += 2 * len(self._accounts)

    def see(self) -> None:
        """Take note of what is known now."""
        from orders.models import AccountOrder

        now = self._clock.at
        ended = {pk: one for pk, one in self._open.items() if one.ends_at <= now}
        if not ended:
            return
        known = AccountOrder.objects.filter(pk__in=ended).exclude(status="WORKING")
        for pk in known.values_list("pk", flat=True):
            one = self._open.pop(pk)
            self._day.delays.append((now - one.ends_at).total_seconds())
            since = (one.ends_at - one.entered_at).total_seconds()
            self._day.bound.append(BEAT_S - since % BEAT_S)

    def hear(self) -> None:
        """Let the stream tell of what ends before the next beat."""
        from orders.services.polling import sync_orders

        if not self._day.streams:
            return
        now, next_at = self._clock.at, self._clock.at + timedelta(seconds=BEAT_S)
        ending = {pk: one for pk, one in self._open.items() if now < one.ends_at <= next_at}
        heard = timedelta(seconds=HEARD_AFTER_S)
        for pk, one in sorted(ending.items(), key=lambda pair: pair[1].ends_at):
            self._clock.at = max(self._clock.at, one.ends_at + heard)
            sync_orders(child_ids=[pk], gateway=self._broker)
            self.see()
        self._clock.at = now

    def _order(self, account: "Account", is_stock: bool) -> Any:
        from benchmarks.pretend_broker import PretendOrder

        entered = self._clock.at
        # Half of the orders are filled within minutes; the others rest, many until the close.
        rests = self._dice.random() < 0.5
        lasts = self._dice.expovariate(1 / (4 * 3600)) if rests else self._dice.expovariate(1 / 90)
        number = str(1_000_000 + len(self._open) + self._made * 10_000 + account.position)
        made = PretendOrder(
            number=number,
            login=account.login_id,
            account=account.number.open(),
            symbol="AAPL" if is_stock else "AAPL  301220C00200000",
            asset_type="EQUITY" if is_stock else "OPTION",
            instruction="BUY" if is_stock else "BUY_TO_OPEN",
            entered_at=entered,
            ends_at=entered + timedelta(seconds=lasts + 0.5),
            fills=self._dice.random() < 0.95,
        )
        self._broker.add(made)
        return made

    def _child(self, order: Any, account: "Account", shown: Any) -> Any:
        from brokerage.schwab.fingerprint import fingerprint
        from orders.models import AccountOrder

        body = shown.body()
        return AccountOrder(
            order=order,
            account=account,
            contracts=1,
            remaining=1,
            status="WORKING",
            broker_order_id=shown.number,
            deadline_at=self._clock.at,
            sent_at=self._clock.at,
            fingerprint=fingerprint(body),
            body=json.dumps(body),
            body_hash="0" * 64,
        )


def _always(*_: Any, **__: Any) -> bool:
    return True


def _result(day: Day) -> dict[str, Any]:
    delays = sorted(day.delays)
    return {
        "day": day.name,
        "calls": day.calls,
        "(a) every order, every beat": day.every_order,
        "(b) each working order, every beat": day.every_working,
        "(c) per account, every beat": day.every_account,
        "% of (a)": round(100 * day.calls / day.every_order, 2),
        "% of (b)": round(100 * day.calls / day.every_working, 2),
        "% of (c)": round(100 * day.calls / day.every_account, 2),
        "end known after, p50 s": round(median(delays), 2),
        "end known after, p95 s": round(delays[int(len(delays) * 0.95)], 2),
        "(a) to (c) p50 s": round(median(day.bound), 2),
        "(a) to (c) p95 s": round(sorted(day.bound)[int(len(day.bound) * 0.95)], 2),
    }


def _table(found: list[dict[str, Any]]) -> str:
    names = list(found[0])
    rule = "|".join(["---"] * (len(found) + 1))
    lines = [f"| {name} | " + " | ".join(str(one[name]) for one in found) + " |" for name in names]
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _fleet_table(accounts: int, minutes: int) -> str:
    """Let the three beats run over a big fleet with working orders everywhere; time each."""
    from accounts.domain.beats import Beat
    from accounts.services import balance_beat
    from orders.services import order_beats

    day = Day("", accounts, accounts // 200, streams=False, hours=0, broadcasts=2)
    clock, broker, rows = _begin(accounts, day.per_login)
    vars(order_beats)["is_open"] = vars(balance_beat)["is_open"] = _always
    trader = _Trader(day, clock, broker, rows)
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
    lines.append(f"| memory, MB | {early:.0f} after 2 min | {memory[-1]:.0f} at the end | | |")
    return "\n".join(lines)


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
