"""Send the content security policy with every answer, and keep private answers out of caches.

Django 6 has a middleware of its own for the policy; the setting is named like its setting.
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
            return add_headers(request, await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return add_headers(request, cast("Answer", get_response)(request))

    return answer


def add_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Add the policy, and `no-store` where an answer to a signed-in user names no caching."""
    response.headers["Content-Security-Policy"] = settings.SECURE_CSP
    if carries_credentials(request):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def carries_credentials(request: HttpRequest) -> bool:
    """Tell whether a request claims to come from somebody.

    The claim is enough: looking the user up would cost a query, also where no view asks for one.
    """
    return settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers
