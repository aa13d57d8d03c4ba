"""Rate limits of the API; the limiter's own trouble never stops an order."""

from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

if TYPE_CHECKING:  # the framework loads this module while it loads its views
    from rest_framework.views import APIView


class UserThrottle(UserRateThrottle):
    """Per user; open while the cache is down."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError:
            return True


class SignInThrottle(AnonRateThrottle):
    """Per address, for tries to get a token; open while the cache is down."""

    scope = "sign-in"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError:
            return True
