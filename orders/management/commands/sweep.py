"""Sweep once a second: expire what waited too long, ring for what nobody heard."""

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, connection
from django.utils import timezone

from accounts.live import say_ready
from orders.services.sweeping import sweep
from orders.tasks import ring_for

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Expire stale orders and old claims, and ring again for lost messages, every second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=1.0, help="seconds between sweeps")
        parser.add_argument("--once", action="store_true", help="sweep once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        while not stop.is_set():
            self._sweep()
            say_ready()
            if options["once"]:
                return
            stop.wait(options["every"])

    def _sweep(self) -> None:
        try:
            swept = sweep(now=timezone.now())
        except Error as error:
            log.error("sweep failed: %s", error)
            connection.close()
            return
        if swept.stale or swept.lease_over or swept.to_ring:
            log.info("swept: %s", swept)
        for ids in swept.to_ring.values():
            ring_for(ids)
