"""The numbers of account orders: in the order in which they are made, and not to be guessed."""

import os
import time
from uuid import UUID

_VERSION, _VARIANT = 7 << 76, 2 << 62
_RANDOM = ~(0xF << 76 | 0x3 << 62) & ((1 << 80) - 1)


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562): milliseconds, then 74 random bits.

    The rows of a broadcast lie together in the indexes of its orders and legs so: with random
    numbers a database of a million orders reads and writes a page for every one of them.
    """
    moment = time.time_ns() // 1_000_000 << 80
    random = int.from_bytes(os.urandom(10), "big") & _RANDOM
    return UUID(int=moment | _VERSION | _VARIANT | random)
