"""Small helpers around requests: when they arrived, and who may trade."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

EXCHANGE_ZONE = ZoneInfo("America/New_York")


def received_at(request: HttpRequest | Request) -> datetime:
    """Return when the request reached the web process: the click a broadcast is measured from."""
    plain = request._request if isinstance(request, Request) else request
    scope = getattr(plain, "scope", {})
    stamp = scope.get("received_at")
    return timezone.now() if stamp is None else datetime.fromtimestamp(stamp, UTC)


def exchange_date(now: datetime) -> date:
    """Return the date at the exchange."""
    return now.astimezone(EXCHANGE_ZONE).date()
