"""Rate limits of the API; the limiter's own trouble never stops an order."""

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle, UserRateThrottle
from rest_framework.views import APIView


class UserThrottle(UserRateThrottle):
    """At most 30 requests a second on average per user; open while the cache is down."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError:
            return True


class SignInThrottle(ScopedRateThrottle):
    """At most 20 tries a minute per address to get a token; open while the cache is down."""

    scope_attr = "throttle_scope"

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError:
            return True
