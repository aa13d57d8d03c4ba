"""Clients of a Redis that may be away: one a process for each address and patience."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_clients: dict[tuple[str, float], redis.Redis] = {}


def impatient_redis(address: str, *, patience_s: float) -> redis.Redis:
    """Return the client; it waits so long to connect, and as long for every answer.

    Nothing is tried twice: a second try could do once more what the first one did unheard. Errors
    of what is asked of it: redis.RedisError.
    """
    key = address, patience_s
    found = _clients.get(key)
    if found is not None:
        return found
    client = redis.Redis.from_url(
        address,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=patience_s,
        socket_connect_timeout=patience_s,
    )
    # Of two threads one wins: a client that is dropped closes the connections of its user.
    return _clients.setdefault(key, client)
