"""The gateway: an event loop in a thread that sends many requests at the same moment."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from yarl import URL

from brokerage.metering import count_exchanges
from brokerage.schwab.exchange import Call, Exchange, Failure, FailureKind
from brokerage.transport.broadcast import Batch, Broadcast
from brokerage.transport.flight import Flight
from brokerage.transport.pool import Pool

T = TypeVar("T")

BODY_LIMIT = 16 * 1024 * 1024
# How long after the deadline a waiting thread still believes in the event loop.
GRACE_S = 5.0


class Gateway:
    """Send requests to one host over warm connections, each exactly once.

    For worker threads: every method blocks, and may be called from several threads. Nothing is
    ever sent a second time, redirected, or sent through a proxy of the environment.

    Args:
        base_url: scheme and host of the broker.
        ca_file: the only certificates to trust; None trusts the system's.
        total_timeout_s: within which each exchange ends, its body included.
        connect_timeout_s: for resolving, connecting and TLS.
        body_limit: bytes of an answer that are read at most.
    """

    def __init__(
        self,
        base_url: str,
        *,
        ca_file: str | None,
        total_timeout_s: float = 10.0,
        connect_timeout_s: float = 2.0,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        url = URL(base_url)
        self._host = url.host_port_subcomponent or ""
        self._total_timeout_s = total_timeout_s
        self._body_limit = body_limit
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="broker-gateway", daemon=True
        )
        self._thread.start()
        self._pool = self._run(_new_pool(url, ca_file, connect_timeout_s))

    def stream(self, calls: Sequence[Call]) -> Iterator[Batch]:
        """Start all calls at once and yield `(index, exchange)` as they end, in batches.

        The first batch comes after every request was sent, or after 1.5 seconds; the others 50 ms
        apart. The calls are under way when this returns, whether or not anybody iterates.
        """
        flights = [Flight(index, call, host=self._host) for index, call in enumerate(calls)]
        outbox: SimpleQueue[Batch] = SimpleQueue()
        broadcast = Broadcast(
            len(flights), outbox, timeout_s=self._total_timeout_s, limit=self._body_limit
        )
        # Two hops: by the second the loop has seen which idle connections were closed meanwhile.
        self._loop.call_soon_threadsafe(self._loop.call_soon, self._start, broadcast, flights)
        return self._batches(calls, outbox)

    def send_all(self, calls: Sequence[Call]) -> list[Exchange]:
        """Start all calls at once and return how they ended, in the order of the calls."""
        ended = dict(pair for batch in self.stream(calls) for pair in batch)
        return [ended[index] for index in range(len(calls))]

    def warm(self, connections: int) -> int:
        """Have this many young idle connections, TLS done; call it again every 25 seconds or so.

        No request is sent for it. Returns how many there are: fewer with the broker away.
        """
        return self._run(self._pool.warm(connections))

    def close(self) -> None:
        """End everything under way, close the connections, stop the thread."""
        if self._loop.is_closed():
            return
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _start(self, broadcast: Broadcast, flights: Sequence[Flight]) -> None:
        tasks = broadcast.start(flights, self._pool, self._loop)
        self._tasks.update(tasks)
        for task in tasks:
            task.add_done_callback(self._tasks.discard)

    def _batches(self, calls: Sequence[Call], outbox: SimpleQueue[Batch]) -> Iterator[Batch]:
        give_up_at = time.monotonic() + self._total_timeout_s + GRACE_S
        waiting = set(range(len(calls)))
        while waiting:
            try:
                batch = outbox.get(timeout=max(give_up_at - time.monotonic(), 0))
            except Empty:
                batch = [(index, _abandoned(calls[index])) for index in sorted(waiting)]
            waiting.difference_update(index for index, _ in batch)
            count_exchanges(exchange for _, exchange in batch)
            yield batch

    async def _shut(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)
        await self._pool.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _new_pool(url: URL, ca_file: str | None, connect_timeout_s: float) -> Pool:
    return Pool(url, ca_file=ca_file, connect_timeout_s=connect_timeout_s)


def _abandoned(call: Call) -> Exchange:
    failure = Failure(FailureKind.MAYBE_WRITTEN, "The sender did not report in time")
    return Exchange(call.request, failure=failure)
