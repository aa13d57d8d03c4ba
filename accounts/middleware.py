"""Give every request an id, and let the record know whose request it was."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from accounts.live import asking
from accounts.live.addresses import address_of

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
HEADER = "X-Request-Id"


@sync_and_async_middleware
def request_context(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
    """Wrap a view of either kind."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            found = _begin(request)
            try:
                return _named(await get_response(request), found)
            finally:
                asking.end()

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        found = _begin(request)
        try:
            return _named(cast("Answer", get_response)(request), found)
        finally:
            asking.end()

    return answer


def _begin(request: HttpRequest) -> asking.Asking:
    return asking.begin(
        address=address_of(request),
        session_key=request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""),
    )


def _named(response: HttpResponseBase, found: asking.Asking) -> HttpResponseBase:
    response.headers[HEADER] = found.request_id
    return response
