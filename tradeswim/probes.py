"""Answer what watches this installation, before anything else looks at a request.

`/healthz/live`, `/healthz/ready` and `/metrics` answer this machine alone: whoever comes through a
web server in front is told that there is no such page. All requests are counted.
"""

import time
from collections.abc import Callable
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.middleware import middleware
from accounts.services.metering import REQUEST_SECONDS, REQUESTS
from tradeswim import metrics, readiness

# A stranger may call his request whatever he likes: what is not named here counts as one.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Where a request keeps when it came.
BEGAN = "tradeswim.began"
FORWARDED = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


def live() -> HttpResponse:
    """Say that this process answers; nothing else is asked."""
    return HttpResponse("alive\n", content_type="text/plain")


def ready() -> HttpResponse:
    """Say whether a click would be sent: 200 if so, else 503 with what is missing."""
    parts = readiness.parts(now=timezone.now())
    is_ready = all(part.is_well for part in parts)
    shown = {part.name: part.words for part in parts}
    missing = [part.name for part in parts if not part.is_well]
    answer = {"ready": is_ready, "missing": missing, "parts": shown}
    return JsonResponse(answer, status=200 if is_ready else 503)


def show_metrics() -> HttpResponse:
    """Show all numbers in the text format of Prometheus."""
    return HttpResponse(metrics.exposition(now=timezone.now()), content_type=metrics.CONTENT_TYPE)


PROBES: dict[str, Callable[[], HttpResponse]] = {
    "/healthz/live": live,
    "/healthz/ready": ready,
    "/metrics": show_metrics,
}


def _probe(request: HttpRequest) -> HttpResponse | None:
    request.META[BEGAN] = time.monotonic()
    if not (probe := PROBES.get(request.path_info)):
        return None
    answer = probe() if _is_from_here(request) else HttpResponseNotFound()
    answer["Cache-Control"] = "no-store"
    return answer


def _is_from_here(request: HttpRequest) -> bool:
    """Tell whether the request came from this machine, and not through a web server on it."""
    if any(name in request.headers for name in FORWARDED):
        return False
    peer = request.META.get("REMOTE_ADDR", "")
    try:
        return not peer or ip_address(peer).is_loopback  # a socket of the file system has no peer
    except ValueError:
        return False


def _count(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    found = request.resolver_match
    view = (found.view_name or found.route) if found else "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(view, method, str(response.status_code)).inc()
    REQUEST_SECONDS.labels(view).observe(time.monotonic() - request.META[BEGAN])
    return response


answer_probes = middleware(before=_probe, after=_count)
