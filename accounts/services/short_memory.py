"""The cache Redis for what may be forgotten: one client a process, and no patience."""

import redis
from django.conf import settings

from brokerage.impatient_redis import impatient_redis

# A page or a beat waits this long for a cache that hangs, and no longer.
PATIENCE_S = 0.25


def short_memory() -> redis.Redis:
    """Return the client. Errors of what is asked of it: redis.RedisError."""
    return impatient_redis(settings.CACHE_URL, patience_s=PATIENCE_S)
