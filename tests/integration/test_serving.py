"""A request is served in one go, on a thread that is kept with its connection to the database."""

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.signals import connection_created
from django.test import Client
from django.urls import clear_url_caches, get_resolver

from accounts.live.hub import hub_of_this_loop
from accounts.live.streaming import HELLO
from tests.support.make import make_user
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


class Visit:
    """One request as a server hands it over, and what is answered."""

    def __init__(self, path: str, cookie: str = "") -> None:
        headers = [(b"host", b"127.0.0.1"), (b"cookie", cookie.encode())]
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        self.sent: list[Mapping[str, Any]] = []
        self.is_answered, self.is_gone = asyncio.Event(), asyncio.Event()
        self._told = [{"type": "http.request", "body": b"", "more_body": False}]

    async def go(self, threads: KeptThreads, handler: Handler) -> int:
        """Ask; return the status."""
        async with threads.one():
            await handler(self.scope, self._receive, self._send)
        return int(str(self.sent[0]["status"]))

    async def _receive(self) -> dict[str, object]:
        if self._told:
            return self._told.pop()
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.sent.append(message)
        if message.get("body"):
            self.is_answered.set()


async def get(path: str, threads: KeptThreads, handler: Handler) -> int:
    return await Visit(path).go(threads, handler)


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


def test_a_page_that_listens_is_told_in_the_servers_loop_and_leaves_its_thread(queue, settings):
    settings.CACHE_URL = queue.url
    browser, threads, handler = Client(), KeptThreads(), Handler()
    browser.force_login(make_user())
    cookie = f"sessionid={browser.cookies['sessionid'].value}"

    async def listen() -> list[Mapping[str, Any]]:
        visit = Visit("/live/stream/", cookie)
        listening = asyncio.create_task(visit.go(threads, handler))
        await asyncio.wait_for(visit.is_answered.wait(), 30)
        assert len(hub_of_this_loop()) == 1
        visit.is_gone.set()
        await listening
        return visit.sent

    start, hello, *_ = asyncio.run(listen())

    assert start["status"] == 200
    assert hello["body"] == HELLO
    wait_for_idle(threads, 1)
    close(threads)
