"""A simulated day on the real database and Redis: a fleet, a clock, and who trades in it."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks.installation import own_installation

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


@contextmanager
def simulation() -> Iterator[None]:
    """Have an installation and a Redis of its own, in which nothing real is kept or told."""
    import logging

    with own_installation("tradeswim.settings.test") as home:
        from django.conf import settings

        from tests.support.redis_server import RedisServer

        logging.disable(logging.WARNING)
        folder = home / "redis"
        folder.mkdir()
        server = RedisServer(folder)
        settings.CACHE_URL = settings.REDIS_URL = server.url
        try:
            yield
        finally:
            server.stop()


def begin(accounts: int, per_login: int) -> "tuple[Clock, PretendBroker, list[Account]]":
    """Make a new database with a fleet; the clock stands at the opening."""
    from django.core.management import call_command
    from django.db import connection, transaction
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
    clock = Clock(datetime.now(UTC))
    timezone.now = clock.now
    the_budget().clock = clock.seconds
    broker = PretendBroker(clock, {}, {})
    rows: list[Account] = []
    ends_at = clock.at + timedelta(days=2)
    with transaction.atomic():
        for index in range(accounts // per_login):
            login = make_login(app_key=f"key {index}")
            make_token(login, access=f"token {index}", access_expires_at=ends_at)
            broker.logins[f"Bearer token {index}"] = login.pk
            own = [make_account(login, position=len(rows) + one) for one in range(per_login)]
            broker.accounts[login.pk] = [account.number.open() for account in own]
            rows += own
    return clock, broker, rows


def always(*_: Any, **__: Any) -> bool:
    """Say that the market is open, whatever is asked."""
    return True


class Trader:
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
