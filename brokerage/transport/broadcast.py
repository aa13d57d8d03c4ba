"""One fan-out inside the event loop: send all, then hand over what ends, in batches."""

import asyncio
from collections.abc import Sequence
from queue import SimpleQueue

from brokerage.schwab.exchange import Exchange
from brokerage.transport.flight import Flight
from brokerage.transport.pool import Pool

# One account that cannot connect keeps the others' answers back for no longer than this.
SEND_PHASE_CAP_S = 1.5
BATCH_EVERY_S = 0.05

Batch = list[tuple[int, Exchange]]


class Broadcast:
    """The flights of one call, and what of them the waiting thread has not had yet.

    Nothing is handed over before all are sent: it would wake that thread, which would then compete
    with the sends for the interpreter.
    """

    def __init__(
        self, size: int, outbox: SimpleQueue[Batch], *, timeout_s: float, limit: int
    ) -> None:
        self._outbox = outbox
        self._timeout_s = timeout_s
        self._limit = limit
        self._to_send = self._to_finish = size
        self._is_sending = True
        self._batch: Batch = []
        self._flush_timer: asyncio.TimerHandle | None = None

    def start(
        self, flights: Sequence[Flight], pool: Pool, loop: asyncio.AbstractEventLoop
    ) -> list[asyncio.Task[None]]:
        """Write on every warm connection, one right after the other; tasks do the rest.

        Only its task keeps a flight: an answer may be megabytes, and whoever has read it is done.
        """
        self._loop, self._pool = loop, pool
        deadline = loop.time() + self._timeout_s
        for flight in flights:
            if flight.failure is None and (connection := pool.take()) is not None:
                try:
                    flight.write(connection)
                except Exception as error:  # whatever it is, the other accounts must go out
                    flight.fail(error)
        loop.call_later(SEND_PHASE_CAP_S, self._end_send_phase)
        return [loop.create_task(self._fly(flight, deadline)) for flight in flights]

    async def _fly(self, flight: Flight, deadline: float) -> None:
        try:
            # One deadline for everything: a server that drips bytes resets any shorter clock.
            async with asyncio.timeout_at(deadline):
                await self._depart(flight)
                if flight.failure is None:
                    await flight.read(body_limit=self._limit)
        except (Exception, asyncio.CancelledError) as error:
            flight.fail(error)
        self._give_back(flight)
        self._finish(flight)

    async def _depart(self, flight: Flight) -> None:
        try:
            if not flight.is_settled:
                flight.connection = await self._pool.lend()
                flight.write(flight.connection)
        finally:
            self._to_send -= 1
            if not self._to_send:
                self._end_send_phase()

    def _give_back(self, flight: Flight) -> None:
        if flight.connection is None:
            return
        if flight.reply is not None and flight.reply.complete:
            self._pool.put(flight.connection)
        elif flight.reply is None and flight.begun:
            self._pool.sever(flight.connection)
        else:
            self._pool.discard(flight.connection)

    def _finish(self, flight: Flight) -> None:
        self._batch.append((flight.index, flight.exchange()))
        self._to_finish -= 1
        if not self._to_finish:
            self._is_sending = False
            self._flush()
        elif not self._is_sending and self._flush_timer is None:
            self._flush_timer = self._loop.call_later(BATCH_EVERY_S, self._flush)

    def _end_send_phase(self) -> None:
        if self._is_sending:
            self._is_sending = False
            self._flush()

    def _flush(self) -> None:
        self._flush_timer = None
        if self._batch:
            self._outbox.put(self._batch)
            self._batch = []
