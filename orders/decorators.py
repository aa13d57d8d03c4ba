"""Small helpers around requests: when they arrived, and who may trade."""

from datetime import UTC, datetime

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request


def received_at(request: HttpRequest | Request) -> datetime:
    """Return when the request reached the web process: the click a broadcast is measured from."""
    plain = request._request if isinstance(request, Request) else request
    scope = getattr(plain, "scope", {})
    stamp = scope.get("received_at")
    return timezone.now() if stamp is None else datetime.fromtimestamp(stamp, UTC)
