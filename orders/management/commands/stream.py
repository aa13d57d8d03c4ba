"""Keep the streams of all connected logins, so that a fill is on record within a second."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from accounts.live.process import calm_garbage_collector, say_ready
from accounts.services.heartbeats import keep_saying_alive
from brokerage.transport import process_gateway
from orders.services.elsewhere import look_elsewhere
from orders.services.streaming.looking import thread_s_connection, write_counts
from orders.services.streaming.station import Hooks, Station
from orders.tasks import reading

T = TypeVar("T")
R = TypeVar("R")

# Reads that are under way change nothing before they are answered: the polls read again.
END_WITHIN_S = 1.0


class Command(BaseCommand):
    help = "Listen to the broker's ACCT_ACTIVITY streams and read at once what they tell of."
    # The other checks load every page, 40 MB; `prepare` has run them.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=["tradeswim"], include_deployment_checks=True, databases=list(connections))
        connections.close_all()
        hooks = Hooks(
            renew=_with_connection(reading.renew),
            follow=_with_connection(reading.follow),
            strangers=_with_connection(_look_elsewhere),
            ready=say_ready,
        )
        station = Station(process_gateway(), hooks)
        keep_saying_alive()
        calm_garbage_collector()
        asyncio.run(_run(station))
        station.close(within_s=END_WITHIN_S)
        write_counts(every_s=0)
        logging.shutdown()
        os._exit(0)  # threads that wait for an answer hold up nobody


async def _run(station: Station) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await station.run(stop)


def _with_connection(work: Callable[[T], R]) -> Callable[[T], R]:
    """Let a thread that is used again do a piece of work with a connection that is alive."""

    def do(argument: T) -> R:
        with thread_s_connection():
            return work(argument)

    return do


def _look_elsewhere(strangers: Mapping[UUID, set[str]]) -> Collection[UUID]:
    """List what came in another way, one list per login; return the logins to be listed again."""
    looked = look_elsewhere(gateway=process_gateway(), now=timezone.now(), logins=strangers.keys())
    reading.renew(looked.refused_tokens)
    return looked.failed
