"""Serve each request in one go, on a thread that is kept together with its database connection.

Django would start a thread for every request, open a connection there, and go back and forth
between it and the event loop for most middlewares. A click waits for all of that.
"""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connection, connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

MOST_IDLE = 8


class Handler(ASGIHandler):
    """Goes to the request's thread once, for all middlewares and the page."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response)(request)


class KeptThreads:
    """Threads of which each serves one request at a time; who served last is the next one's.

    There are as many as requests at once; of those that have nothing to do, a few are kept.
    """

    def __init__(self, *, most_idle: int = MOST_IDLE) -> None:
        self._idle: list[ThreadPoolExecutor] = []
        self._most_idle = most_idle

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Let everything in here that blocks happen on one thread, which nobody else has."""
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                yield
        finally:
            # A request that was broken off may be at work yet: the thread itself says it is free.
            thread.submit(self._give_back, thread)

    def warm(self, count: int) -> None:
        """Have threads ready, connected to the database, before the first request comes.

        All pages are loaded, too: that alone takes longer than a hundred clicks.
        """
        reverse("desk")
        for _ in range(count):
            thread = ThreadPoolExecutor(1, "request")
            thread.submit(_connect).result()
            self._idle.append(thread)

    def _give_back(self, thread: ThreadPoolExecutor) -> None:
        if len(self._idle) < self._most_idle:
            self._idle.append(thread)
            return
        connections.close_all()
        thread.shutdown(wait=False)


def _connect() -> None:
    connection.ensure_connection()
