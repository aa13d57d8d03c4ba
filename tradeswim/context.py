"""What every page knows about the installation."""

from django.conf import settings
from django.http import HttpRequest


def environment(request: HttpRequest) -> dict[str, str]:
    """Give the pages the word for their badge: PAPER or LIVE."""
    return {"environment": settings.ENVIRONMENT}
