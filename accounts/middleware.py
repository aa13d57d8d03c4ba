"""Give every request an id, let the record know whose it was, and see when a session was used."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from accounts.live import asking
from accounts.live.addresses import address_of
from accounts.models import UserSession
from accounts.services.session_places import watch_place
from accounts.services.session_store import SessionStore
from accounts.services.session_use import follow_use, may_last_longer, seconds_left

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
Middleware = Callable[[Answer | AsyncAnswer], Answer | AsyncAnswer]
Before = Callable[[HttpRequest], HttpResponseBase | None]
After = Callable[[HttpRequest, HttpResponseBase], HttpResponseBase]

REQUEST_ID = "X-Request-Id"
# Set by our pages where no person asked: panels that renew themselves (static/js/m/session.js).
UNASKED = "X-Unasked"
# How long the session of an open page lasts, in seconds, and whether a use makes that longer.
LEFT, LASTS = "X-Session-Left", "X-Session-May-Last"
READING = {"GET", "HEAD", "OPTIONS"}


def middleware(
    *,
    before: Before | None = None,
    after: After | None = None,
    blocks: Callable[[HttpRequest], bool] = lambda request: False,
) -> Middleware:
    """Make a middleware for views of either kind, which costs no thread per request.

    Args:
        before: answers the request itself, or returns None.
        after: changes an answer, also one that `before` gave.
        blocks: whether `before` reads the database for this request: then it gets a thread.
    """
    see = before or (lambda request: None)
    finish = after or (lambda request, response: response)

    @sync_and_async_middleware
    def wrap(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
        if iscoroutinefunction(get_response):

            async def answer_async(request: HttpRequest) -> HttpResponseBase:
                seen = await sync_to_async(see)(request) if blocks(request) else see(request)
                return finish(request, seen or await get_response(request))

            return answer_async

        def answer(request: HttpRequest) -> HttpResponseBase:
            return finish(request, see(request) or cast("Answer", get_response)(request))

        return answer

    return wrap


def _begin(request: HttpRequest) -> None:
    asking.begin(
        address=address_of(request),
        session_key=request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""),
        agent=request.headers.get("User-Agent", ""),
    )


def _named(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    response.headers[REQUEST_ID] = asking.asking().request_id
    asking.end()
    return response


request_context = middleware(before=_begin, after=_named)


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's own, which also sees when and where a session is used.

    It tells open pages how long they stay signed in.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        session = cast("SessionStore", request.session)
        row = session.row
        # After a sign-in or a sign-out it is another session's.
        if row is None or row.user_id is None or row.session_key != session.session_key:
            return response
        if request.user.is_authenticated:
            _follow(row, request, response)
        return response


def _follow(row: UserSession, request: HttpRequest, response: HttpResponseBase) -> None:
    now, is_page = timezone.now(), "HX-Request" in request.headers
    is_reading = request.method in READING
    watch_place(row, now=now)
    follow_use(row, is_asked=UNASKED not in request.headers, is_reading=is_reading, now=now)
    if is_page:
        response.headers[LEFT] = str(seconds_left(row, now=now))
        response.headers[LASTS] = "1" if may_last_longer(row) else "0"
