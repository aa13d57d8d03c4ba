"""Many requests meet a process that has not spoken to Redis yet: they share one client."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.tasks import queue as doorbell
from orders.selectors import quoting

THREADS, ROUNDS = 12, 30


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def rush(call: Callable[[], object], fresh: Callable[[], None]) -> None:
    """Let many threads make the first call of a process, again and again."""
    barrier = threading.Barrier(THREADS, action=fresh)

    def go() -> None:
        barrier.wait()
        call()

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            for done in [pool.submit(go) for _ in range(THREADS)]:
                done.result()


@pytest.mark.usefixtures("hasty_threads", "queue")
def test_first_looks_at_the_queue_at_the_same_moment_all_succeed():
    rush(doorbell.check_queue, doorbell._clients.clear)


@pytest.mark.usefixtures("hasty_threads")
def test_first_looks_at_the_quotes_at_the_same_moment_all_succeed(redis_server, settings):
    settings.CACHE_URL = redis_server.url
    rush(lambda: quoting.find_quotes(["AAPL"], max_age_s=60), quoting._clients.clear)
