"""Celery tasks that read orders at the broker: the beats, and the search for the unknown."""

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from django.utils import timezone

from accounts.domain.beats import Beat
from accounts.services.beat_lock import BeatBusy
from accounts.services.beat_progress import BeatProgress, note_progress
from accounts.tasks import renew_login, sync_accounts
from accounts.tasks.queue import enqueue, enqueue_named
from brokerage.transport import process_gateway
from orders.selectors.due import has_due_exits
from orders.services import elsewhere, reconciling
from orders.services.order_beats import read_fresh, run_order_beat
from orders.services.order_reads import Polled
from orders.services.replacing import due_rests

log = logging.getLogger(__name__)


@shared_task(name="orders.reconcile")
def reconcile() -> None:
    """Look for the orders of unknown outcome that are due."""
    reconciled = reconciling.reconcile(gateway=process_gateway())
    renew(reconciled.refused_tokens)
    if reconciled.found or reconciled.absent:
        _ring_followers()


@shared_task(name="orders.sync_stock_orders")
def sync_stock_orders(*, by: str | None = None, fresh: bool = False) -> None:
    """Read the logins with working orders in shares that are due.

    Args:
        by: who asked for all of them, now.
        fresh: read just the orders that nobody has read yet.
    """
    _run(Beat.STOCKS, by, fresh=fresh)


@shared_task(name="orders.sync_option_orders")
def sync_option_orders(*, by: str | None = None, fresh: bool = False) -> None:
    """Read the logins with working orders in options that are due; else as above."""
    _run(Beat.OPTIONS, by, fresh=fresh)


@shared_task(name="orders.look_elsewhere")
def look_elsewhere() -> None:
    """List the accounts that hold what no set of ours explains."""
    renew(elsewhere.look_elsewhere(gateway=process_gateway(), now=timezone.now()).refused_tokens)


def ring_sync(beat: Beat, *, by: str) -> None:
    """Ring for one run of a beat now, when the transaction commits."""
    note_progress(beat, BeatProgress(by, time.time()))
    tasks: dict[Beat, Task[Any, Any]] = {
        Beat.STOCKS: sync_stock_orders,
        Beat.OPTIONS: sync_option_orders,
        Beat.ACCOUNTS: sync_accounts,
    }
    enqueue(tasks[beat], by=by)


def _run(beat: Beat, by: str | None, *, fresh: bool) -> None:
    if fresh:
        follow(read_fresh(beat, gateway=process_gateway()))
        return
    shown = BeatProgress(by or "", time.time(), is_started=True)

    def tell(polled: Polled) -> None:
        shown.logins, shown.read = len(polled.asked), len(polled.read)
        shown.failed = len(polled.silent)
        note_progress(beat, shown)

    try:
        polled = run_order_beat(
            beat, gateway=process_gateway(), at_once=by is not None, progress=tell if by else None
        )
    except BeatBusy as error:
        log.info("%s", error)
        if by:
            note_progress(beat, replace(shown, is_done=True, words=str(error)))
        return
    if by:
        tell(polled)
        note_progress(beat, replace(shown, is_done=True))
    follow(polled)


def follow(polled: Polled) -> None:
    """Go on with what reads showed: refused tokens are renewed, and who waits for it is rung."""
    renew(polled.refused_tokens)
    if polled.changed:
        _ring_followers()


def renew(refused: Mapping[UUID, int]) -> None:
    """Have tokens renewed that a read was refused for; the next beat reads with the new ones."""
    for login_id, version in refused.items():
        enqueue(renew_login, login_id=str(login_id), seen_version=version)


def _ring_followers() -> None:
    """Ring at once for what was waiting for an order to fill or to end."""
    if due_rests().exists():
        enqueue_named("orders.send_rests")
    if has_due_exits():
        enqueue_named("orders.advance_exits")
