"""Rate limits of the API: a counter per minute; its own trouble never stops an order."""

import time
from typing import TYPE_CHECKING, cast

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from brokerage.impatient_redis import impatient_redis

if TYPE_CHECKING:  # the framework loads this module while it loads its views
    from rest_framework.views import APIView

# A click waits for it.
PATIENCE_S = 0.5


class CountingThrottle(SimpleRateThrottle):
    """Counts requests per window with one atomic command; open while the cache is down.

    The framework's own throttles keep a list of times, read and written back whole: slow at a
    high rate, and not exact with several web workers.
    """

    duration: int
    num_requests: int

    def allow_request(self, request: Request, view: "APIView") -> bool:
        window = int(time.time() // self.duration)
        key = f"{self.get_cache_key(request, view)}-{window}"
        try:
            return self.count(key) <= self.num_requests
        except RedisError:
            return True

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        who = request.user.pk if request.user and request.user.is_authenticated else None
        return f"tradeswim.throttle-{self.scope}-{who or self.get_ident(request)}"

    def count(self, key: str) -> int:
        """Count in one round trip, over a connection that the process keeps."""
        client = impatient_redis(settings.CACHE_URL, patience_s=PATIENCE_S)
        with client.pipeline(transaction=False) as both:
            both.set(key, 0, ex=self.duration, nx=True)
            both.incr(key)
            return int(both.execute()[1])

    def wait(self) -> float:
        return self.duration - time.time() % self.duration


class UserThrottle(CountingThrottle):
    """Reads and acts of a user are counted apart: whoever acts a lot may still look."""

    scope = "reads"
    acts = "acts"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if request.method not in SAFE_METHODS:
            self.scope = self.acts
            self.rate = self.get_rate()
            self.num_requests, self.duration = cast("tuple[int, int]", self.parse_rate(self.rate))
        return super().allow_request(request, view)


class WayOutThrottle(UserThrottle):
    """What stops, cancels and closes is counted apart: a program gone wild is not in its way."""

    acts = "ways-out"


class SignInThrottle(CountingThrottle):
    scope = "sign-in"
