"""Sweep once a second: expire what waited too long, ring for what nobody heard."""

import logging
import queue
import signal
import threading
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection, connections
from django.utils import timezone

from accounts.live.process import say_ready
from accounts.services.beat_watch import check_beats, late_tellings
from accounts.services.heartbeats import keep_saying_alive
from accounts.services.instances import Charge, NotPrepared, RunsElsewhere, take_charge
from accounts.services.sealing import check_sealing
from accounts.tasks.queue import QueueDown, check_queue, enqueue_named
from orders.services.clock import ClockWatch, follow_clock
from orders.services.sweeping import Swept, sweep
from orders.tasks import ring_for

log = logging.getLogger(__name__)

RECORD_EVERY_S = 60.0
BEATS_EVERY_S = 15.0


class Command(BaseCommand):
    help = "Expire stale orders and old claims, and ring again for lost messages, every second."
    # The other checks load every page, 40 MB; `prepare` has run them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=1.0, help="seconds between sweeps")
        parser.add_argument("--once", action="store_true", help="sweep once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        # As the other processes that work on orders: the database and what is in it, too.
        self.check(tags=["tradeswim"], include_deployment_checks=True, databases=list(connections))
        if options["once"]:
            _ring(_sweep())
            return
        try:
            charge = take_charge()
            self._go_on(charge, options["every"])
            charge.end(now=timezone.now())
        except (NotPrepared, RunsElsewhere) as error:
            raise CommandError(str(error)) from None

    def _go_on(self, charge: Charge, every: float) -> None:
        """Sweep and give signs of life until SIGTERM. Errors: RunsElsewhere."""
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        bell, watch = _Bell(), ClockWatch()
        bell.start()
        keep_saying_alive()
        look_at = time.monotonic() + RECORD_EVERY_S
        while not stop.is_set():
            _pulse(charge)
            _look_at_clock(watch)
            bell.ring(_sweep())
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + RECORD_EVERY_S
                _look_at_record()
            say_ready()
            stop.wait(every)


class _Bell(threading.Thread):
    """Rings and watches the beats beside the sweeps: a silent Redis or broker slows down none."""

    def __init__(self) -> None:
        super().__init__(name="bell", daemon=True)
        self._waiting: queue.Queue[Swept] = queue.Queue(maxsize=1)

    def ring(self, swept: Swept) -> None:
        with suppress(queue.Full):  # still at the last ones: the next sweep finds these again
            self._waiting.put_nowait(swept)

    def run(self) -> None:
        look_at = time.monotonic() + BEATS_EVERY_S
        while True:
            _ring(self._waiting.get())
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + BEATS_EVERY_S
                _look_at_beats()


def _pulse(charge: Charge) -> None:
    try:
        charge.pulse(now=timezone.now())
    except Error as error:
        log.error("no sign of life could be given: %s", error)
        connection.close()


def _look_at_clock(watch: ClockWatch) -> None:
    """Follow a clock that was moved, before anything is judged by it."""
    try:
        if step := watch.step():
            follow_clock(step, now=timezone.now())
            watch.accept()
    except Error as error:
        log.error("the clock was moved, and the orders not with it yet: %s", error)
        connection.close()


def _look_at_record() -> None:
    """Raise an alarm where the record is not sealed: whoever seals cannot tell that he is dead."""
    try:
        check_sealing(now=timezone.now())
    except Error as error:
        log.error("the record could not be looked at: %s", error)
        connection.close()


def _look_at_beats() -> None:
    """Raise an alarm where a beat has stopped, and ring for the telling of it in its place."""
    try:
        check_beats(now=timezone.now())
        _ring(Swept(tasks=late_tellings(now=timezone.now())))
    except Error as error:
        log.error("the beats could not be looked at: %s", error)
        connection.close()


def _sweep() -> Swept:
    try:
        swept = sweep(now=timezone.now())
    except Error as error:
        log.error("sweep failed: %s", error)
        connection.close()
        return Swept()
    if swept != Swept():
        log.info("swept: %s", swept)
    return swept


def _ring(swept: Swept) -> None:
    if not (swept.to_ring or swept.tasks):
        return
    try:
        check_queue()
        for ids in swept.to_ring.values():
            ring_for(ids)
        for name in swept.tasks:
            enqueue_named(name)
    except (QueueDown, Error) as error:
        log.warning("nobody can be rung: %s", error)
