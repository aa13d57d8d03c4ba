"""What a TLS connection needs, for thousands are open in one process."""

import tracemalloc

from brokerage.small_tls import BUFFER_BYTES

AT_ONCE = 20
# Buffer, TLS objects of both sides, and what aiohttp keeps; asyncio's own buffer alone has 256 kB.
MOST_BYTES = 2 * (BUFFER_BYTES + 64 * 1024)


def test_an_idle_connection_is_small(gateway_to_paper):
    already = gateway_to_paper.warm(1)
    tracemalloc.start()
    try:
        gateway_to_paper.warm(already + AT_ONCE)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert used / AT_ONCE < MOST_BYTES
