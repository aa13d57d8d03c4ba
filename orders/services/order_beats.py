"""Run one of the two beats of orders: never twice at once, recorded, and compared with others."""

import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.selectors import our_accounts
from accounts.services.asking import FanOut
from accounts.services.beat_lock import beat_lock
from accounts.services.beat_runs import BeatRun, count_calls, record_run
from accounts.services.market_hours import is_open
from accounts.services.read_times import ORDERS, answered_at, note_answers
from accounts.services.stream_health import healthy_streams
from orders.models import AccountOrder, ComplexOrder
from orders.services import polling
from orders.services.order_reads import Polled, working_orders
from orders.services.rhythm import Rhythm
from strategies.domain.new_york import midnight
from strategies.domain.tickets import Strategy

COUNTED_FOR_S = 60.0
# One that was started by hand waits for the one that runs.
WAIT_S = 15.0

Progress = Callable[[Polled], None]
_SYNC = {Beat.STOCKS: polling.sync_stock_orders, Beat.OPTIONS: polling.sync_option_orders}


def run_order_beat(
    beat: Beat, *, gateway: FanOut, at_once: bool = False, progress: Progress | None = None
) -> Polled:
    """Read the logins that are due; with `at_once` every one, as an operator asks for it.

    Errors: BeatBusy if the beat runs already.
    """
    with beat_lock(beat, wait_s=WAIT_S if at_once else 0.0):
        now = timezone.now()
        open_now = is_open(beat, now=now)
        rhythm = None if at_once else Rhythm(now, healthy_streams(now=now), open_now)
        polled = _SYNC[beat](gateway=gateway, rhythm=rhythm, progress=progress)
        _record(beat, polled, now, is_open=open_now)
    return polled


def read_fresh(beat: Beat, *, gateway: FanOut) -> Polled:
    """Read the orders that nobody has read yet, for many fill within the second.

    All of them at once, streams or not: 45 streams that each tell of a fill cost 45 looks.
    """
    new = working_orders().filter(broker_status="")
    if not new.exists():  # the usual case: an earlier ring has read them
        return Polled()
    kind = Q(order__strategy=Strategy.EQUITY)
    own = new.filter(kind if beat is Beat.STOCKS else ~kind)
    polled = polling.read_orders_now(own, gateway=gateway)
    count_calls(beat, Savings(polled.calls, points_read=polled.rows, points_kept=polled.changed))
    return polled


def _record(beat: Beat, polled: Polled, began: datetime, *, is_open: bool) -> None:
    note_answers(ORDERS, polled.read, at=began)
    run = BeatRun(
        started_at=began.timestamp(),
        finished_at=timezone.now().timestamp(),
        orders=polled.watched,
        logins=len(polled.logins),
        asked=len(polled.asked),
        read=len(polled.read),
        put_off=len(polled.put_off),
        waiting=len(polled.waiting),
        calls=polled.calls,
        changed=polled.changed,
        oldest_at=_oldest(polled.logins),
        is_open=is_open,
        every_s=float(settings.POLL_EVERY_S if is_open else settings.POLL_CLOSED_S),
    )
    savings = Savings(
        calls=polled.calls,
        every_order=_orders_of_today(beat, began),
        every_working=polled.watched,
        every_account=_accounts(),
        points_read=polled.rows,
        points_kept=polled.changed,
    )
    record_run(beat, run, polled.silent, polled.read, savings)


def _oldest(logins: set[UUID]) -> float | None:
    """Return when the login was read that was read longest ago; one never read does not count."""
    times = answered_at(ORDERS) if logins else {}
    return min((times[pk].timestamp() for pk in logins if pk in times), default=None)


_counted: dict[str, tuple[float, int]] = {}


def forget_counts() -> None:
    """Count anew what is only for a comparison."""
    _counted.clear()


def _orders_of_today(beat: Beat, now: datetime) -> int:
    """Count the orders the broker got today: what a poll of every order would read."""

    def count() -> int:
        of_today = ComplexOrder.objects.filter(created_at__gte=midnight(now))
        is_stock = beat is Beat.STOCKS
        parents = (
            of_today.filter(strategy=Strategy.EQUITY)
            if is_stock
            else of_today.exclude(strategy=Strategy.EQUITY)
        )
        placed = AccountOrder.objects.filter(order__in=parents, broker_order_id__isnull=False)
        return placed.count()

    return _remembered(beat, count)


def _accounts() -> int:
    return _remembered("accounts", our_accounts().filter(is_active=True).count)


def _remembered(name: str, count: Callable[[], int]) -> int:
    """Count once a minute: it is only for a comparison."""
    until, known = _counted.get(name, (0.0, 0))
    if time.monotonic() < until:
        return known
    counted = count()
    _counted[name] = time.monotonic() + COUNTED_FOR_S, counted
    return counted
