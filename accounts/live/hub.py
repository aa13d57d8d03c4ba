"""One subscription per web process, which tells every open page of this process what changed."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from accounts.live.panels import CHANNEL

log = logging.getLogger(__name__)

# What a page is told beside the names of panels: ask for all of them, and that nothing more comes.
RESYNC = "resync"
OVER = ""

QUEUE_SIZE = 100
CONNECT_S = 2.0
# Redis is asked for a sign of life this often; one that gives none in twice the time is down.
PING_EVERY_S = 10.0

Told = asyncio.Queue[str]


class HubDown(Exception):
    """Redis does not let us listen; pages ask by themselves meanwhile."""


class Hub:
    """Listens while anybody is interested, and tells each in a queue of his own.

    It belongs to one event loop. Who is too slow for his queue loses what is in it, and is told to
    ask for everything; nobody waits for him.
    """

    def __init__(self, address: str, *, ping_every_s: float = PING_EVERY_S) -> None:
        self.address = address
        self._ping_every_s = ping_every_s
        self._listeners: set[Told] = set()
        self._reading: asyncio.Task[None] | None = None  # None as soon as it is over
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Subscribe, unless it is done. Errors: HubDown."""
        async with self._opening:
            if self._reading is not None:
                return
            pubsub = _client(self.address).pubsub()
            try:
                async with asyncio.timeout(CONNECT_S):
                    await pubsub.subscribe(CHANNEL)
            except (RedisError, OSError, TimeoutError) as error:
                await _close(pubsub)
                raise HubDown(type(error).__name__) from error
            self._reading = asyncio.create_task(self._read(pubsub))
            await asyncio.sleep(0)  # a task that is canceled before it began closes nothing

    @contextlib.contextmanager
    def listener(self) -> Iterator[Told]:
        """Give a queue with the names of panels that changed, RESYNC, or at the end OVER."""
        queue: Told = asyncio.Queue(QUEUE_SIZE)
        self._listeners.add(queue)
        if self._reading is None:
            queue.put_nowait(OVER)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    async def _read(self, pubsub: PubSub) -> None:
        """Pass on what comes; when Redis goes, everybody is told that it is over."""
        try:
            await self._pass_on(pubsub)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("open pages are not told of changes: %s", type(error).__name__)
        finally:
            if self._reading is asyncio.current_task():
                self._reading = None
                for queue in self._listeners:
                    _replace(queue, OVER)
            await _close(pubsub)

    async def _pass_on(self, pubsub: PubSub) -> None:
        heard_at = asked_at = time.monotonic()
        while True:
            message = await pubsub.get_message(timeout=self._ping_every_s / 2)
            now = time.monotonic()
            if message is not None:
                heard_at = now
                if message["type"] == "message":
                    self._tell(message["data"].decode().split())
            elif now - heard_at > 2 * self._ping_every_s:
                raise TimeoutError
            if now - asked_at >= self._ping_every_s:
                asked_at = now
                await pubsub.ping()

    def _tell(self, panels: list[str]) -> None:
        for queue in self._listeners:
            try:
                for panel in panels:
                    queue.put_nowait(panel)
            except asyncio.QueueFull:
                _replace(queue, RESYNC)


def hub_of_this_loop() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None or hub.address != settings.CACHE_URL:
        hub = _hubs[loop] = Hub(settings.CACHE_URL)
    return hub


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def _client(address: str) -> "Redis":
    return Redis.from_url(
        address,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=CONNECT_S,
        socket_timeout=CONNECT_S,
    )


async def _close(pubsub: PubSub) -> None:
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        await pubsub.aclose()  # type: ignore[no-untyped-call]
    await pubsub.connection_pool.disconnect()


def _replace(queue: Told, word: str) -> None:
    """Put one word in the place of everything that waits in a queue."""
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(word)
