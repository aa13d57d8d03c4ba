"""Refuse what a page of another site makes a browser send here, before anything looks at it.

A second lock beside the CSRF token and the cookies' SameSite: browsers say where a request comes
from (Sec-Fetch-Site), and no page can make them say something else. Programs do not say it.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from tradeswim.api_errors import from_elsewhere

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
READING = {"GET", "HEAD", "OPTIONS"}
# "none" is a person who typed the address or opened a bookmark.
HERE = {None, "same-origin", "none"}


@sync_and_async_middleware
def refuse_foreign(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
    """Wrap a view of either kind."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _refusal(request) or await get_response(request)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _refusal(request) or cast("Answer", get_response)(request)

    return answer


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if request.method in READING or request.headers.get("Sec-Fetch-Site") in HERE:
        return None
    return from_elsewhere(request)
