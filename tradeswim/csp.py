"""Send what browsers are to enforce with every answer, and keep all answers out of caches.

That is the content security policy, who may embed an answer and which powers of a browser a page
may use. Django's own middleware adds HSTS, nosniff and the opener's policy. Django 6 has one for
the content security policy, too; the setting is named like its setting.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def content_security_policy(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
    """Wrap a view of either kind; a function of its own kind costs no thread per request."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return add_headers(await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return add_headers(cast("Answer", get_response)(request))

    return answer


def add_headers(response: HttpResponseBase) -> HttpResponseBase:
    """Add the policies, and `no-store` where an answer names no caching of its own.

    Strangers' answers, too: a way to sign in, kept by a cache, would outlive the signing in.
    """
    response.headers["Content-Security-Policy"] = settings.SECURE_CSP
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY
    response.headers.setdefault("Cache-Control", "no-store")
    return response
