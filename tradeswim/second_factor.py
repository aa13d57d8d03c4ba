"""Where everybody must have a second factor, let a session without one reach its set-up alone.

It stands in front of every address, so that a page, a call or the admin's site that forgets to ask
is closed as well. Programs with an access token are asked where they get it.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import sync_and_async_middleware

from accounts.services.proving import lacks_factor
from accounts.services.second_factors import factor_is_required
from tradeswim.api_errors import without_second_factor

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
SET_UP = "/settings/second-factors/"
# What is reached without: the ways in and out, the set-up, and the proof that it asks for.
OPEN = ("/sign-in/", "/sign-out/", SET_UP, "/prove/", "/api/v1/auth/")


@sync_and_async_middleware
def lead_to_second_factor(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
    """Wrap a view of either kind."""
    slow, plain = cast("AsyncAnswer", get_response), cast("Answer", get_response)
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            if _may_need_one(request) and await sync_to_async(_lacks_one)(request):
                return _led(request)
            return await slow(request)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        if _may_need_one(request) and _lacks_one(request):
            return _led(request)
        return plain(request)

    return answer


def _led(request: HttpRequest) -> HttpResponse:
    return without_second_factor(request) or redirect(SET_UP)


def _may_need_one(request: HttpRequest) -> bool:
    if not factor_is_required() or request.path.startswith(OPEN):
        return False
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _lacks_one(request: HttpRequest) -> bool:
    return SESSION_KEY in request.session and lacks_factor(request.session)
