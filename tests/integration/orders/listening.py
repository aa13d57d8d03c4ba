"""The streams' process in a thread of the test, and hands to watch it."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import OperationalError, connections
from django.utils import timezone

from accounts.services.stream_health import StreamHealth, healthy_streams, stream_health
from accounts.services.tokens import refresh_login
from orders.models import ComplexOrder
from orders.services.order_reads import Polled
from orders.services.streaming.looking import thread_s_connection
from orders.services.streaming.station import Hooks, Station
from tests.support.fleet import Fleet


class Listening:
    """A station that keeps the streams of a fleet; refused tokens are renewed as a worker does."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.followed = 0
        self.renewed: list[UUID] = []
        self.strangers: dict[UUID, set[str]] = {}
        self.unlisted: set[UUID] = set()
        self.is_database_busy = False
        self.is_ready = threading.Event()
        hooks = Hooks(
            renew=self.renew,
            follow=self._follow,
            strangers=self._meet,
            ready=self.is_ready.set,
        )
        self._station = Station(fleet.gateway, hooks)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="station", daemon=True)
        self._thread.start()
        assert self.is_ready.wait(10)

    def wait_until_healthy(self, *, seconds: float = 10) -> None:
        logins = {login.pk for login in self.fleet.logins}
        wait_for(lambda: healthy_streams(now=timezone.now()) == logins, seconds)

    def health(self, place: int = 0) -> StreamHealth:
        """How the stream of the account in this place is."""
        return stream_health(now=timezone.now())[self.fleet.accounts[place].login_id]

    def stop(self) -> float:
        """Stop it, unless it is done; return how long that took."""
        began = time.monotonic()
        if not self._thread.is_alive():
            return 0.0
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        assert self._station.close(within_s=10)
        if self._failure:
            raise self._failure
        return time.monotonic() - began

    def _serve(self) -> None:
        async def run() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await self._station.run(self._stop)

        try:
            asyncio.run(run())
        except BaseException as failure:
            self._failure = failure
            raise
        finally:
            connections.close_all()

    def renew(self, refused: Mapping[UUID, int]) -> None:
        with thread_s_connection():
            for login_id, version in refused.items():
                refresh_login(login_id, now=timezone.now(), seen_version=version)
                self.renewed.append(login_id)

    def _follow(self, polled: Polled) -> None:
        self.followed += polled.changed

    def _meet(self, strangers: Mapping[UUID, set[str]]) -> Collection[UUID]:
        if self.is_database_busy:
            self.is_database_busy = False
            raise OperationalError("database is locked")
        self.strangers |= dict(strangers)
        return self.unlisted & strangers.keys()


def wait_for(look: Callable[[], Any], seconds: float = 10) -> float:
    """Wait until `look` finds something; return for how long."""
    began = time.monotonic()
    while not look():
        assert time.monotonic() - began < seconds, "in vain"
        time.sleep(0.01)
    return time.monotonic() - began


def listen(fleet: Fleet, redis_server, settings) -> Iterator[Listening]:
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    fleet.broker.market(fills="manual")
    fleet.broker.stream(heartbeat_s=0.3)
    listening = Listening(fleet)
    try:
        listening.wait_until_healthy()
        time.sleep(0.3)  # every login is looked at once as its stream begins
        yield listening
    finally:
        listening.stop()
        fleet.broker.stream(heartbeat_s=5)
        fleet.broker.market(fills="auto")


def rest(fleet: Fleet) -> ComplexOrder:
    """Let shares be bid for in every account, read once by the beat."""
    order = fleet.broadcast(fleet.shares(limit=Decimal("1.00")))
    fleet.poll()
    return order


def fill(fleet: Fleet, order: ComplexOrder, *places: int) -> None:
    children = fleet.children(order)
    for place in places:
        fleet.broker.fill(children[place].broker_order_id or "", price="1.00")
