"""TLS connections that need less memory: thousands are open in one process."""

from asyncio.sslproto import SSLProtocol

# asyncio's own 256 kB are written full of zeros for each connection, idle or not. A TLS record has
# at most 16 kB, and an order's answer is one; longer answers are read in more pieces.
BUFFER_BYTES = 32 * 1024


def use_small_buffers() -> None:
    """Let every TLS connection that this process opens or accepts from now on be a small one."""
    SSLProtocol.max_size = BUFFER_BYTES
