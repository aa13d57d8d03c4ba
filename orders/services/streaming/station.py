"""All streams of this installation in one event loop; database and reads in threads beside it."""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import Error
from django.utils import timezone

from accounts.services.asking import FanOut
from accounts.services.stream_health import StreamHealth, forget_health, keep_health
from brokerage.schwab.streamer import Activity
from brokerage.transport.stream_line import Lines
from orders.services.order_reads import Polled
from orders.services.streaming.keeper import Keeper, Surroundings
from orders.services.streaming.looking import (
    Sorted,
    count_preference,
    read_named,
    read_whole,
    roster,
    sort,
    stream_pass,
    write_counts,
)
from orders.services.streaming.wakes import News, Wakes

log = logging.getLogger(__name__)

T = TypeVar("T")
Read = Callable[..., None]

ROSTER_S = 2.0
TELL_S = 2.0
# A login's stream begins within so long after its process; so many connect at once.
SPREAD_PER_LOGIN_S, LONGEST_SPREAD_S = 0.01, 20.0
DOORS = 16
LOOKERS, CLERKS = 12, 4
# What becomes due within so long is looked at together: each look costs a write of its own.
TOGETHER_S = 0.05
# The lines are closed with a goodbye; after so long they are cut.
GOODBYES_S = 1.0


@dataclass(frozen=True, slots=True)
class Hooks:
    """What follows from what the streams bring; each is called in a thread.

    Args:
        renew: has refused tokens renewed, by login with the version that was refused.
        follow: goes on with what a read changed.
        strangers: lists logins with orders that are not ours; returns those to be listed again.
        ready: the streams' process works from now on.
    """

    renew: Callable[[Mapping[UUID, int]], None]
    follow: Callable[[Polled], None]
    strangers: Callable[[Mapping[UUID, set[str]]], Collection[UUID]]
    ready: Callable[[], None]


class Station:
    """Everything the process `stream` does."""

    def __init__(self, gateway: FanOut, hooks: Hooks) -> None:
        self._gateway = gateway
        self._hooks = hooks
        self._wakes = Wakes()
        self._keepers: dict[UUID, Keeper] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._versions: dict[UUID, int] = {}
        self._told: dict[UUID, StreamHealth] = {}
        self._looks: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Event()
        self._changed = asyncio.Event()
        self._lookers = ThreadPoolExecutor(LOOKERS, "stream-look")
        self._clerks = ThreadPoolExecutor(CLERKS, "stream-clerk")

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the streams until `stop` is set."""
        async with Lines(ca_file=settings.BROKER_CA_FILE or None) as lines:
            around = self._surroundings(lines)
            jobs = [
                asyncio.create_task(self._keep_roster(around)),
                asyncio.create_task(self._answer_wakes()),
                asyncio.create_task(self._tell_health()),
            ]
            waiting = asyncio.create_task(stop.wait())
            ended, _ = await asyncio.wait([waiting, *jobs], return_when=asyncio.FIRST_COMPLETED)
            await self._close([waiting, *jobs, *self._tasks.values(), *self._looks])
            for job in ended - {waiting}:
                job.result()  # none of them ends but by a mistake of ours

    def _surroundings(self, lines: Lines) -> Surroundings:
        return Surroundings(
            lines=lines,
            stream_pass=lambda login_id: self._by_clerk(stream_pass, login_id),
            count=lambda login_id: self._by_clerk(count_preference, login_id),
            refused=self._note_refused,
            heard=self._hear,
            began=self._begin,
            changed=self._changed.set,
            door=asyncio.Semaphore(DOORS),
        )

    async def _close(self, tasks: "list[asyncio.Task[None] | asyncio.Task[bool]]") -> None:
        for task in tasks:
            task.cancel()
        await asyncio.to_thread(forget_health)
        await asyncio.wait(tasks, timeout=GOODBYES_S)

    def close(self, *, within_s: float) -> bool:
        """Wait for what the threads still do; False if that takes longer."""
        waiter = threading.Thread(target=self._end_threads, name="stream-end", daemon=True)
        waiter.start()
        waiter.join(within_s)
        return not waiter.is_alive()

    def _end_threads(self) -> None:
        for threads in (self._lookers, self._clerks):
            threads.shutdown(wait=True, cancel_futures=True)

    # --- who has a stream -------------------------------------------------------------------------

    async def _keep_roster(self, around: Surroundings) -> None:
        """Begin the streams of new logins, end those of logins that are gone."""
        is_ready = False
        while True:
            try:
                connected = await self._by_clerk(roster)
            except Error as error:
                log.warning("the logins cannot be read: %s", error)
            else:
                self._follow_roster(connected, around)
                await self._by_clerk(write_counts)
                if not is_ready:
                    self._hooks.ready()
                    is_ready = True
            await asyncio.sleep(ROSTER_S)

    def _follow_roster(self, connected: Mapping[UUID, int], around: Surroundings) -> None:
        for login_id in self._keepers.keys() - connected.keys():
            self._tasks.pop(login_id).cancel()
            del self._keepers[login_id]
            self._wakes.forget(login_id)
            self._changed.set()
        new = connected.keys() - self._keepers.keys()
        spread = min(len(new) * SPREAD_PER_LOGIN_S, LONGEST_SPREAD_S)
        for login_id in new:
            delay = random.uniform(0, spread)  # noqa: S311 - it only spreads the beginnings
            keeper = Keeper(login_id, around, delay_s=delay)
            self._keepers[login_id] = keeper
            self._tasks[login_id] = asyncio.create_task(keeper.run())
        for login_id, version in connected.items():
            if self._versions.get(login_id, version) != version:
                self._keepers[login_id].token_renewed()
        self._versions = dict(connected)

    def _note_refused(self, login_id: UUID, version: int) -> None:
        self._in_background(self._by_clerk(self._hooks.renew, {login_id: version}))

    # --- what they tell ---------------------------------------------------------------------------

    def _hear(self, login_id: UUID, activities: tuple[Activity, ...]) -> None:
        self._wakes.hear(login_id, activities, at=time.monotonic())
        self._heard.set()

    def _begin(self, login_id: UUID) -> None:
        self._wakes.miss(login_id, at=time.monotonic())
        self._heard.set()

    async def _answer_wakes(self) -> None:
        """Look at what was heard, as soon as it is due."""
        while True:
            self._heard.clear()
            if news := self._wakes.take(at=time.monotonic()):
                self._in_background(self._look(news))
                await asyncio.sleep(TOGETHER_S)
            due_at = self._wakes.due_at()
            pause = None if due_at is None else max(due_at - time.monotonic(), 0.005)
            try:
                await asyncio.wait_for(self._heard.wait(), pause)
            except TimeoutError:
                continue

    async def _look(self, news: Mapping[UUID, News]) -> None:
        """Look at what was heard; each login may be looked at again as soon as it has answered."""
        left = dict(news)
        try:
            found = await self._in_thread(self._lookers, partial(sort, news))
            self._meet(found)
            self._let_go(left, news.keys() - found.logins)
            reads = [self._read(read_named, found, left)] if found.orders else []
            reads += [self._read(read_whole, found, left)] if found.whole else []
            await asyncio.gather(*reads)
        except Error as error:  # the database is away for a moment
            log.warning("what the streams told cannot be looked at: %s", error)
            for login_id, one in left.items():
                self._wakes.put_off(login_id, one, at=time.monotonic())
        finally:
            self._let_go(left, news.keys())

    async def _read(self, read: Read, found: Sorted, left: dict[UUID, News]) -> None:
        loop, followed = asyncio.get_running_loop(), Polled()

        def go_on(polled: Polled) -> None:  # in the thread that reads
            news = polled.since(followed)
            loop.call_soon_threadsafe(self._go_on, news, left)

        await self._in_thread(
            self._lookers, partial(read, found, gateway=self._gateway, progress=go_on)
        )

    def _go_on(self, news: Polled, left: dict[UUID, News]) -> None:
        """Go on with some answers, without those that are still on their way."""
        for login_id in news.put_off & left.keys():
            self._wakes.put_off(login_id, left[login_id], at=time.monotonic())
        self._let_go(left, news.finished)
        if news.changed or news.refused_tokens:
            self._in_background(self._by_clerk(self._hooks.follow, news))

    def _let_go(self, left: dict[UUID, News], login_ids: Collection[UUID]) -> None:
        """Allow the next look at these logins; who was let go may be in another look by now."""
        done = left.keys() & login_ids
        for login_id in done:
            del left[login_id]
        self._wakes.done(done)
        self._heard.set()

    def _meet(self, found: Sorted) -> None:
        now = time.monotonic()
        strangers = {
            login_id: lost
            for login_id, one in found.strangers.items()
            if (lost := self._wakes.meet(login_id, one, at=now))
        }
        if strangers:
            self._in_background(self._list(strangers))

    async def _list(self, strangers: Mapping[UUID, set[str]]) -> None:
        again: Collection[UUID]
        try:
            work = partial(self._hooks.strangers, strangers)
            again = await self._in_thread(self._lookers, work)
        except Error as error:  # a stream tells of an order once
            log.warning("orders made elsewhere cannot be listed: %s", error)
            again = strangers.keys()
        for login_id in again:
            self._wakes.list_again(login_id, strangers[login_id], at=time.monotonic())
        self._heard.set()

    # --- how they are -----------------------------------------------------------------------------

    async def _tell_health(self) -> None:
        """Tell how the streams are: at once when one changes, and again and again."""
        while True:
            now = {login_id: keeper.health for login_id, keeper in self._keepers.items()}
            changed = {pk: one for pk, one in now.items() if one.is_news(self._told.get(pk))}
            gone = self._told.keys() - now.keys()
            is_first = not self._told
            tell = partial(keep_health, changed, gone, now=timezone.now(), anew=is_first)
            if await self._by_clerk(tell):
                self._told = {pk: one for pk, one in self._told.items() if pk in now} | changed
            else:
                self._told = {}
            try:
                await asyncio.wait_for(self._changed.wait(), TELL_S)
            except TimeoutError:
                continue
            self._changed.clear()
            await asyncio.sleep(0.05)  # others change at the same moment

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._looks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._looks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a look failed", exc_info=error)

    async def _by_clerk(self, work: Callable[..., T], *arguments: object) -> T:
        return await self._in_thread(self._clerks, partial(work, *arguments))

    async def _in_thread(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)
