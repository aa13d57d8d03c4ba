"""Give every request an id, let the record know whose it was, and see when a session was used."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.middleware import (
    AuthenticationMiddleware as DjangoAuthenticationMiddleware,
)
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.live import asking
from accounts.live.addresses import address_of
from accounts.models import User, UserSession
from accounts.services.session_places import watch_place
from accounts.services.session_store import SessionStore, find_user
from accounts.services.session_use import follow_use, may_last_longer, seconds_left

Answer = Callable[[HttpRequest], HttpResponseBase]
Middleware = Callable[[Answer], Answer]
Before = Callable[[HttpRequest], HttpResponseBase | None]
After = Callable[[HttpRequest, HttpResponseBase], HttpResponseBase]

REQUEST_ID = "X-Request-Id"
# Set by our pages where no person asked: panels that renew themselves (static/js/m/session.js).
UNASKED = "X-Unasked"
# How long the session of an open page lasts, in seconds, and whether a use makes that longer.
LEFT, LASTS = "X-Session-Left", "X-Session-May-Last"
READING = {"GET", "HEAD", "OPTIONS"}


def middleware(*, before: Before | None = None, after: After | None = None) -> Middleware:
    """Make a middleware.

    Args:
        before: answers the request itself, or returns None.
        after: changes an answer, also one that `before` gave.
    """
    see = before or (lambda request: None)
    finish = after or (lambda request, response: response)

    def wrap(get_response: Answer) -> Answer:
        def answer(request: HttpRequest) -> HttpResponseBase:
            return finish(request, see(request) or get_response(request))

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


class AuthenticationMiddleware(DjangoAuthenticationMiddleware):
    """Django's own, which takes the user that was read with his session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]


def _user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return who asks; where a session does not hold, Django says so and clears it away."""
    session = cast("SessionStore", request.session)
    is_a_page = session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
    found = find_user(session) if is_a_page else None
    return found or get_user(request)


def _follow(row: UserSession, request: HttpRequest, response: HttpResponseBase) -> None:
    now, is_page = timezone.now(), "HX-Request" in request.headers
    is_reading = request.method in READING
    watch_place(row, now=now)
    follow_use(row, is_asked=UNASKED not in request.headers, is_reading=is_reading, now=now)
    if is_page:
        response.headers[LEFT] = str(seconds_left(row, now=now))
        response.headers[LASTS] = "1" if may_last_longer(row) else "0"
