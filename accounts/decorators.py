"""Guards of the pages: who must be signed in, and who may trade, exit or sync.

Every guard leaves its name on the page (`guards_of`): a page without one fails a test.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

from accounts.domain.roles import Power
from accounts.models import User
from accounts.services.proving import is_fresh
from accounts.services.session_store import SessionStore


class DeskRequest(HttpRequest):
    """A request that passed `signed_in`."""

    htmx: HtmxDetails
    user: User
    session: SessionStore


PROVE_FIRST = "Prove who you are, then press again. Nothing was done yet."
READING = frozenset({"GET", "HEAD"})
SESSION_ENDED = "Your session has ended. Nothing was done. Sign in again."

# What the address gives a page beside the request.
Given = ParamSpec("Given")
Page = Callable[Concatenate[DeskRequest, Given], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, Given], HttpResponseBase]
Guarded = TypeVar("Guarded", bound=Callable[..., object])
_GUARDS = "guards"


def signed_in(page: Page[Given]) -> View[Given]:
    """Send strangers to sign in; an open page whose session ended is told so, and stays."""

    @wraps(page)
    def guarded(
        request: HttpRequest, /, *args: Given.args, **kwargs: Given.kwargs
    ) -> HttpResponseBase:
        if request.user.is_authenticated:
            return page(cast("DeskRequest", request), *args, **kwargs)
        return _ask_to_sign_in(request)

    return _marked(guarded, "signed_in")


def may_trade(page: Page[Given]) -> Page[Given]:
    """Refuse users whose role does not send orders."""
    words = "Your role may look, but not send orders. Nothing was sent."
    return _marked(_only(page, Power.TRADE, words), "may_trade")


def may_exit(page: Page[Given]) -> Page[Given]:
    """Refuse users whose role does not close positions and cancel orders."""
    words = "Your role may look, but not close or cancel. Nothing was sent."
    return _marked(_only(page, Power.EXIT, words), "may_exit")


def may_sync(page: Page[Given]) -> Page[Given]:
    """Refuse users who are no operators: agents and admins have the broker read now."""
    words = "Your role may look, but not trigger syncs. Nothing was read."
    return _marked(_only(page, Power.SYNC, words), "may_sync")


def may_administer(page: Page[Given]) -> Page[Given]:
    """Refuse everybody but admins."""
    words = "Only an admin may change this. Nothing was changed."
    return _marked(_only(page, Power.ADMINISTER, words), "may_administer")


def freshly_proved(page: Page[Given]) -> Page[Given]:
    """Ask once more who it is before what matters; the last 15 minutes' proof is good enough."""
    return _proved(page, reading_too=True)


def freshly_proved_to_change(page: Page[Given]) -> Page[Given]:
    """Ask once more who it is before what a page changes; looking at it needs no proof."""
    return _proved(page, reading_too=False)


def ask_for_proof(request: DeskRequest, *, back: str = "") -> HttpResponse:
    """Lead to the proof, and from there back: what was pressed is pressed again afterwards.

    Args:
        back: where to go afterwards; where he comes from if empty.
    """
    if request.htmx:  # the page stays as it is, and opens the proof over it
        return trigger_client_event(HttpResponse(status=204), "proveFirst", {"target": "body"})
    is_read = request.method in READING
    place = back or (request.get_full_path() if is_read else _came_from(request))
    if not is_read:
        messages.warning(request, PROVE_FIRST)
    return redirect(f"{reverse('prove')}?{urlencode({'next': place})}")


def guards_of(page: Callable[..., object]) -> frozenset[str]:
    """Return the names of the guards around a page."""
    return frozenset(getattr(page, _GUARDS, ()))


def _marked(page: Guarded, name: str) -> Guarded:
    """Note a guard on what it guards; `wraps` hands the note on to what is put around it."""
    setattr(page, _GUARDS, guards_of(page) | {name})
    return page


def _only(page: Page[Given], power: Power, words: str) -> Page[Given]:
    @wraps(page)
    def guarded(
        request: DeskRequest, /, *args: Given.args, **kwargs: Given.kwargs
    ) -> HttpResponseBase:
        if request.user.may(power):
            return page(request, *args, **kwargs)
        if request.htmx:
            return HttpResponse(words, status=403, content_type="text/plain")
        raise PermissionDenied

    return guarded


def _proved(page: Page[Given], *, reading_too: bool) -> Page[Given]:
    @wraps(page)
    def guarded(
        request: DeskRequest, /, *args: Given.args, **kwargs: Given.kwargs
    ) -> HttpResponseBase:
        is_free = request.method in READING and not reading_too
        if is_free or is_fresh(request.session, now=timezone.now()):
            return page(request, *args, **kwargs)
        return ask_for_proof(request)

    return _marked(guarded, "freshly_proved")


def _came_from(request: HttpRequest) -> str:
    """Return the page of ours whose form was sent: browsers say so, else it is the desk."""
    said = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(said, {request.get_host()}):
        return reverse("desk")
    parts = urlsplit(said)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Answer a page with the way to the sign-in and back, a part of one with words and 401.

    A part never gets another page to show: static/js/m/live.js says that the session has ended.
    """
    htmx: HtmxDetails = cast("DeskRequest", request).htmx
    if htmx:
        return HttpResponse(SESSION_ENDED, status=401, content_type="text/plain")
    return redirect_to_login(request.get_full_path())
