"""Many requests meet a process that has not spoken to Redis yet: they share one client."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.tasks.queue import check_queue
from orders.selectors.quoting import find_quotes
from tests.support.redis_server import point_celery_to

THREADS = 12
# An address nobody has spoken to yet: the databases of a Redis have their own.
FRESH = range(1, 16)


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def rush(call: Callable[[], object]) -> None:
    """Let many threads do the same at the same moment."""
    barrier = threading.Barrier(THREADS)

    def go() -> None:
        barrier.wait()
        call()

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(go) for _ in range(THREADS)]:
            done.result()


@pytest.mark.usefixtures("hasty_threads")
def test_first_looks_at_the_queue_at_the_same_moment_all_succeed(queue):
    for number in FRESH:
        point_celery_to(queue.url[:-1] + str(number))
        rush(check_queue)


@pytest.mark.usefixtures("hasty_threads")
def test_first_looks_at_the_quotes_at_the_same_moment_all_succeed(redis_server, settings):
    for number in FRESH:
        settings.CACHE_URL = redis_server.url[:-1] + str(number)
        rush(lambda: find_quotes(["AAPL"], max_age_s=60))
