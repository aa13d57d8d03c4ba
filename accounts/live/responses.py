"""Answers of live panels: 304 for a page that is up to date, else HTML rendered once for all.

A panel is the same for everybody who may see the same, so it must hold nothing that is one
user's: no name, no CSRF token (its buttons use the page's form `act`), no message.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from gzip import compress
from threading import Lock
from typing import NamedTuple

from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase

from accounts.decorators import DeskRequest, Given, Page
from accounts.live.panels import Panel, panel_version

KEPT = 128
# Below this a panel goes as it is.
WORTH_PACKING = 1024


class _Shown(NamedTuple):
    """A rendered panel, as it is and packed."""

    plain: bytes
    packed: bytes | None


class _Flight:
    """One rendering, for which everybody who asks for the same waits."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.shown: _Shown | None = None


class _Shelf:
    """The panels that this process rendered last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: OrderedDict[str, _Flight] = OrderedDict()

    def flight(self, tag: str) -> _Flight:
        """Return the place of one version of a panel; those asked for longest ago go."""
        with self._lock:
            flight = self._flights.setdefault(tag, _Flight())
            self._flights.move_to_end(tag)
            while len(self._flights) > KEPT:
                self._flights.popitem(last=False)
        return flight

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._flights.clear()


_shelf = _Shelf()


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
            wanted = f"{version}.{also()}" if also else version
            tag = f"{wanted}~{_seen_by(request)}"
            if request.headers.get("HX-PTag", "") in {tag, version if also is None else tag}:
                return _tagged(HttpResponseNotModified(), tag)
            return _answer(request, tag, lambda: page(request, *args, **kwargs))

        return answer

    return decorate


def forget_panels() -> None:
    """Let go of every rendered panel, for tests that change what no version tells."""
    _shelf.clear()


def _seen_by(request: DeskRequest) -> str:
    """Name the address, and what this user may see there."""
    user = request.user
    seen = f"{request.get_full_path()} {user.role} {user.is_staff} {user.is_active}"
    return hashlib.blake2s(seen.encode(), digest_size=8).hexdigest()


def _answer(
    request: DeskRequest, tag: str, render: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Answer with the panel of this tag; who comes while it is rendered waits for it."""
    flight = _shelf.flight(tag)
    with flight.lock:
        if flight.shown is None:
            rendered = render()
            if rendered.status_code != 200 or not isinstance(rendered, HttpResponse):
                return rendered
            plain = rendered.content
            packed = compress(plain, 5, mtime=0) if len(plain) > WORTH_PACKING else None
            flight.shown = _Shown(plain, packed)
        shown = flight.shown
    return _tagged(_packed(request, shown), tag)


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
