"""A request is served in one go, on a thread that is kept with its connection to the database."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.signals import connection_created
from django.urls import clear_url_caches, get_resolver

from tradeswim import serving
from tradeswim.serving import Handler, KeptThreads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visits(monkeypatch) -> list[str]:
    """The names of what ran on kept threads, in order."""
    seen: list[str] = []

    class Watched(ThreadPoolExecutor):
        def submit(self, work, /, *given, **named):
            seen.append(getattr(work, "__name__", "request"))
            return super().submit(work, *given, **named)

    monkeypatch.setattr(serving, "ThreadPoolExecutor", Watched)
    return seen


@pytest.fixture
def connected(settings):
    """How many connections to the database were opened; they are kept."""
    opened: list[int] = []

    def count(**_):
        opened.append(threading.get_ident())

    # A setting of the connection is read when its thread first asks for it.
    databases = settings.DATABASES["default"]
    before, databases["CONN_MAX_AGE"] = databases["CONN_MAX_AGE"], 60
    connection_created.connect(count)
    yield opened
    connection_created.disconnect(count)
    databases["CONN_MAX_AGE"] = before


async def get(path: str, threads: KeptThreads, handler: Handler) -> int:
    """Ask as a server would; return the status."""
    told = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[dict[str, object]] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }

    async def receive():
        if not told:
            await asyncio.Event().wait()
        return told.pop()

    async def send(message):
        sent.append(message)

    async with threads.one():
        await handler(scope, receive, send)
    return int(str(sent[0]["status"]))


def wait_for_idle(threads: KeptThreads, count: int) -> None:
    """Wait until so many threads have said that they are free."""
    until = time.monotonic() + 10
    while (idle := len(threads._idle)) != count:  # noqa: SLF001
        assert time.monotonic() < until, f"{idle} threads are idle"
        time.sleep(0.01)


def close(threads: KeptThreads) -> None:
    """End the threads with their connections."""
    for thread in threads._idle:  # noqa: SLF001
        thread.submit(connections.close_all).result()
        thread.shutdown()


def test_an_answer_costs_one_visit_to_the_thread(visits):
    """Beside it: what Django does as a request begins and ends, and the thread that is free."""
    threads, handler = KeptThreads(), Handler()

    assert asyncio.run(get("/sign-in/", threads, handler)) == 200

    wait_for_idle(threads, 1)
    assert len(visits) == 4
    close(threads)


def test_the_next_request_finds_the_thread_and_its_connection(connected):
    threads, handler = KeptThreads(), Handler()

    for _ in range(3):
        assert asyncio.run(get("/healthz/ready", threads, handler)) == 503
        wait_for_idle(threads, 1)

    assert len(connected) == 1
    close(threads)


def test_requests_at_once_have_a_thread_each_and_a_few_are_kept():
    threads = KeptThreads(most_idle=2)
    together = threading.Barrier(3)

    async def meet() -> int:
        async with threads.one():
            return await sync_to_async(lambda: together.wait(10) and threading.get_ident())()

    async def three() -> list[int]:
        return list(await asyncio.gather(meet(), meet(), meet()))

    assert len(set(asyncio.run(three()))) == 3

    wait_for_idle(threads, 2)
    close(threads)


def test_a_thread_is_given_to_nobody_while_a_broken_off_request_is_at_work():
    threads, at_work, go_on = KeptThreads(), threading.Event(), threading.Event()

    def work() -> None:
        at_work.set()
        go_on.wait(10)

    async def broken_off() -> None:
        async with threads.one():
            await sync_to_async(work)()

    async def break_off() -> None:
        task = asyncio.create_task(broken_off())
        await asyncio.to_thread(at_work.wait, 10)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(break_off())
    wait_for_idle(threads, 0)
    go_on.set()
    wait_for_idle(threads, 1)
    close(threads)


def test_threads_are_connected_and_pages_loaded_before_the_first_request(connected):
    threads = KeptThreads()
    clear_url_caches()
    threads.warm(2)
    assert len(connected) == 2
    assert "url_patterns" in vars(get_resolver())

    asyncio.run(get("/healthz/ready", threads, Handler()))

    assert len(connected) == 2
    close(threads)
