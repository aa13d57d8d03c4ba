"""Threads that serve one request after the other and keep their database connection.

Django gives every request a new thread, which opens a connection of its own, reads the whole schema
and prepares each statement anew: several milliseconds before a click is as much as looked at.
"""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from asgiref.sync import ThreadSensitiveContext
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]

# More may serve at the same time; so many are kept for later.
KEPT = 8


class Threads:
    """Lends a thread to each request; belongs to one event loop."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._free: list[ThreadPoolExecutor] = []

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Let what is called in here run in one thread, the one that was used last."""
        thread = self._free.pop() if self._free else ThreadPoolExecutor(1, "serving")
        try:
            async with ThreadSensitiveContext(executor=thread):
                yield
        finally:
            if len(self._free) < self._kept:
                self._free.append(thread)
            else:
                thread.shutdown(wait=False)


def stay_in_one_thread(get_response: Answer) -> Answer:
    """Keep a whole request in one thread; the innermost middleware.

    It is for synchronous views only, as Django sees it, and so all others around it are called
    like functions. Otherwise most of them would go from the event loop to the thread and back, on
    the way in and on the way out.
    """
    return get_response
