"""From which address a request comes: the peer, or what the proxies in front of us saw."""

from django.conf import settings
from django.http import HttpRequest

LONGEST = 45


def address_of(request: HttpRequest) -> str:
    """Return the address; of X-Forwarded-For only the hops that our own proxies appended count.

    The same rule as the API framework's throttles follow (NUM_PROXIES).
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    said = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    proxies = int(str(settings.REST_FRAMEWORK["NUM_PROXIES"]))
    if not (proxies and said):
        return peer[:LONGEST]
    hops = said.split(",")
    return hops[-min(proxies, len(hops))].strip()[:LONGEST]
