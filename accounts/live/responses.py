"""Answers of live panels: 304 for a page that is up to date, else HTML rendered once for all.

A panel is the same for everybody who may see the same, so it must hold nothing that is one
user's: no name, no CSRF token (its buttons use the page's form `act`), no message.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from gzip import compress
from typing import NamedTuple

from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase

from accounts.decorators import DeskRequest, Given, Page
from accounts.live.panels import Panel, panel_version
from accounts.live.shelf import rendered

OK = 200
# Below this a panel goes as it is.
WORTH_PACKING = 1024


class _Shown(NamedTuple):
    """A rendered panel, as it is and packed."""

    plain: bytes
    packed: bytes | None


class _NotKept(Exception):
    """The page answered something else than a panel, for whoever asked."""

    def __init__(self, answer: HttpResponseBase) -> None:
        super().__init__()
        self.answer = answer


def live_panel(
    panel: Panel, *, also: Callable[[], str] | None = None
) -> Callable[[Page[Given]], Page[Given]]:
    """Make a page function the answer of a live panel; it stands below `@signed_in`.

    An element starts with `hx-ptag="{{ version }}"`, `panel_version(panel)` read before the page's
    queries. One whose address follows a form (`hx-include`) starts with `hx-ptag=""`, for a bare
    version does not tell which address it belongs to; the tags of answers do.

    Args:
        also: something more that the version depends on, where no audit event says it. The page
            then starts with `hx-ptag=""`.
    """

    def decorate(page: Page[Given]) -> Page[Given]:
        @wraps(page)
        def answer(
            request: DeskRequest, /, *args: Given.args, **kwargs: Given.kwargs
        ) -> HttpResponseBase:
            version = panel_version(panel)
            tag = f"{version}.{also()}" if also else version
            tag = f"{tag}~{_seen_by(request)}"
            known = {tag} if also else {tag, version}
            if request.headers.get("HX-PTag") in known:
                return _tagged(HttpResponseNotModified(), tag)
            try:
                shown = rendered.get(tag, lambda: _shown(page(request, *args, **kwargs)))
            except _NotKept as other:
                return other.answer
            return _tagged(_packed(request, shown), tag)

        return answer

    return decorate


def seen_as(request: DeskRequest) -> str:
    """Name what this user may see: users of the same name here are shown the same."""
    user = request.user
    return f"{user.role} {user.is_active}"


def _seen_by(request: DeskRequest) -> str:
    """Name the address, and what this user may see there."""
    seen = f"{request.get_full_path()} {seen_as(request)}"
    return hashlib.blake2s(seen.encode(), digest_size=8).hexdigest()


def _shown(answer: HttpResponseBase) -> _Shown:
    """Take the panel out of an answer. Errors: _NotKept if there is none."""
    if answer.status_code != OK or not isinstance(answer, HttpResponse):
        raise _NotKept(answer)
    plain = answer.content
    return _Shown(plain, compress(plain, 5, mtime=0) if len(plain) > WORTH_PACKING else None)


def _packed(request: DeskRequest, shown: _Shown) -> HttpResponse:
    """Write the panel; packed, for it holds no secret that its length could tell."""
    takes_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    if shown.packed is None or not takes_packed:
        return HttpResponse(shown.plain)
    return HttpResponse(shown.packed, headers={"Content-Encoding": "gzip"})


def _tagged(answer: HttpResponse, tag: str) -> HttpResponse:
    answer.headers["HX-PTag"] = tag
    answer.headers["Vary"] = "Accept-Encoding, Cookie"
    return answer
