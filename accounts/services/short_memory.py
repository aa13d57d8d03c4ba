"""The cache Redis for what may be forgotten: one client a process, and no patience."""

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

# A page or a beat waits this long for a cache that hangs, and no longer.
PATIENCE_S = 0.25

_clients: dict[str, redis.Redis] = {}


def short_memory() -> redis.Redis:
    """Return the client. Errors of what is asked of it: redis.RedisError."""
    found = _clients.get(settings.CACHE_URL)
    if found is not None:
        return found
    client = redis.Redis.from_url(
        settings.CACHE_URL,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
    )
    # Of two threads one wins: a client that is dropped closes the connections of its user.
    return _clients.setdefault(settings.CACHE_URL, client)
