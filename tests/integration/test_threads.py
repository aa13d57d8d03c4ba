"""Requests and tasks are served by threads that keep their database connection."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from tradeswim.celery import TradeswimCelery, app
from tradeswim.celery_database import KeptConnections
from tradeswim.threads import Threads


async def serve(threads: Threads, gate: asyncio.Event | None = None) -> int:
    """Serve one request; return which thread that was."""
    async with threads.lent():
        first = await sync_to_async(threading.get_ident)()
        if gate is not None:
            await gate.wait()
        assert await sync_to_async(threading.get_ident)() == first
        return first


async def serve_at_once(threads: Threads, requests: int) -> set[int]:
    gate = asyncio.Event()
    tasks = [asyncio.create_task(serve(threads, gate)) for _ in range(requests)]
    await asyncio.sleep(0.05)
    gate.set()
    return set(await asyncio.gather(*tasks))


def test_one_request_after_the_other_is_served_by_the_same_thread():
    async def requests() -> set[int]:
        threads = Threads()
        return {await serve(threads) for _ in range(5)}

    assert len(asyncio.run(requests())) == 1


def test_requests_at_the_same_time_do_not_wait_for_each_other():
    async def requests() -> set[int]:
        return await serve_at_once(Threads(), 4)

    assert len(asyncio.run(requests())) == 4


def test_threads_over_the_number_kept_end():
    before = set(threading.enumerate())

    def alive() -> int:
        return len(set(threading.enumerate()) - before)

    async def requests() -> int:
        threads = Threads(kept=2)
        await serve_at_once(threads, 6)
        for _ in range(200):
            if alive() <= 2:
                break
            await asyncio.sleep(0.01)
        return alive()

    assert asyncio.run(requests()) == 2


def test_a_thread_is_given_back_after_a_failure():
    async def requests() -> bool:
        threads = Threads()
        first = await serve(threads)
        with pytest.raises(ZeroDivisionError):
            async with threads.lent():
                await sync_to_async(lambda: 1 // 0)()
        return await serve(threads) == first

    assert asyncio.run(requests())


def test_the_innermost_middleware_keeps_a_request_in_its_thread():
    assert settings.MIDDLEWARE[-1] == "tradeswim.threads.stay_in_one_thread"


@pytest.fixture
def kept():
    """A connection that may be a minute old."""
    connection.ensure_connection()
    before, connection.close_at = connection.close_at, None
    yield
    connection.close_at = before


@pytest.mark.django_db(transaction=True)
def test_a_task_keeps_the_connection_of_the_one_before(kept):
    fixup = KeptConnections(app)
    opened = connection.connection

    fixup.close_database()

    assert connection.connection is opened


@pytest.mark.django_db(transaction=True)
def test_a_task_does_not_keep_a_connection_that_is_too_old(kept):
    fixup = KeptConnections(app)
    connection.close_at = 0

    fixup.close_database()

    assert connection.connection is None


def test_the_workers_keep_connections_instead_of_closing_them():
    assert TradeswimCelery.builtin_fixups == {"tradeswim.celery_database:fixup"}
