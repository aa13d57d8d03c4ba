"""The stream that tells an open page which of its panels changed."""

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.decorators import SESSION_ENDED
from accounts.live.asking import session_name
from accounts.live.hub import HubDown, hub_of_this_loop
from accounts.live.streaming import events
from accounts.services.session_store import SessionStore, find_user


@require_GET
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Tell the page of changes for some minutes; without a live server it asks by itself."""
    if not hasattr(request, "scope"):  # WSGI would hold a thread, and send nothing
        return HttpResponse(status=204)
    key = await _session_of(request)
    if not key:
        return HttpResponse(SESSION_ENDED, status=401, content_type="text/plain")
    hub = hub_of_this_loop()
    try:
        await hub.open()
    except HubDown:
        return HttpResponse("No news at the moment.", status=503, content_type="text/plain")

    async def is_signed_in() -> bool:
        return await sync_to_async(_is_signed_in)(key)

    answer = StreamingHttpResponse(
        events(hub, is_signed_in=is_signed_in, session=session_name(key)),
        content_type="text/event-stream",
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


async def _session_of(request: HttpRequest) -> str:
    """Return the key of the session of a user who is signed in, or nothing."""
    return await sync_to_async(_key_of)(request)


def _key_of(request: HttpRequest) -> str:
    try:
        return request.session.session_key or "" if request.user.is_authenticated else ""
    finally:
        connection.close()


def _is_signed_in(key: str) -> bool:
    """Look whether a session still holds: neither ended nor expired, its password the same."""
    try:
        return find_user(SessionStore(key)) is not None
    finally:
        connection.close()  # a page that is open all day needs none in between
