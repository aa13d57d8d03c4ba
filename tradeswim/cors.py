"""Let the scripts of one other origin call the API, if a setting names it; nobody's otherwise.

Never with cookies: such a script signs in and sends its access token as any program does.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from accounts.middleware import middleware

API = "/api/"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
SENT = "Authorization, Content-Type, Idempotency-Key"
SHOWN = "Retry-After, X-Request-Id"
KEPT_S = "600"


def is_let_in(request: HttpRequest) -> bool:
    """Whether this is a call of the API from the origin that was named, to the letter."""
    named: str = settings.CORS_ORIGIN
    return bool(named) and request.path.startswith(API) and request.headers.get("Origin") == named


def _preflight(request: HttpRequest) -> HttpResponse | None:
    """Answer a browser that asks whether a script may call."""
    wanted = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or not wanted or not is_let_in(request):
        return None
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": SENT,
            "Access-Control-Max-Age": KEPT_S,
        },
    )


def _shown(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if settings.CORS_ORIGIN and request.path.startswith(API):
        patch_vary_headers(response, ["Origin"])
    if is_let_in(request):
        response.headers["Access-Control-Allow-Origin"] = settings.CORS_ORIGIN
        response.headers["Access-Control-Expose-Headers"] = SHOWN
    return response


open_to_one_origin = middleware(before=_preflight, after=_shown)
