"""Pages of placed order sets: all of them, and one with its accounts and what an exit left over."""

from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from django_htmx.http import ptag

from accounts.decorators import DeskRequest, signed_in
from accounts.live.responses import live_panel, seen_as
from accounts.live.shelf import rendered
from orders.selectors.controlling import set_page, sets_version
from orders.selectors.set_lines import list_lines
from orders.selectors.set_rows import SetRow
from orders.selectors.sets import find_set
from orders.views.desk import compact
from orders.views.frame import frame, rights


def version(request: DeskRequest, *_: Any, **__: Any) -> str:
    """Return the tag of the page of a set: it changes whenever anything in it may have."""
    return sets_version()


@require_safe
@signed_in
def sets(request: DeskRequest) -> HttpResponseBase:
    """Show every set, those that are not flat first; an open page asks for the list alone."""
    if request.htmx and not request.htmx.history_restore_request:
        return _list_panel(request)
    framed = frame(request)
    version = framed["frame_version"]
    key = f"sets {version} {seen_as(request)} {_wants_all(request)}"
    lines = rendered.get(key, lambda: _listed(request))
    shown = {"version": version, "sets": lines, "everything": _wants_all(request)}
    return render(request, "orders/sets.html", {**framed, **shown})


@require_safe
@signed_in
@ptag(version)
def placed_set(request: DeskRequest, set_id: int) -> HttpResponse:
    """Show one set; an open page asks for what changes in it alone."""
    shown = {"version": sets_version(), "shown": set_page(get_set(set_id))}
    if request.htmx:
        return render(request, "orders/_set.html", shown)
    return render(request, "orders/set.html", {**frame(request), **shown})


def get_set(set_id: int) -> SetRow:
    """Return a set. Errors: Http404."""
    row = find_set(set_id)
    if row is None:
        raise Http404
    return row


@live_panel("sets")
def _list_panel(request: DeskRequest) -> HttpResponse:
    return HttpResponse(_listed(request))


def _wants_all(request: DeskRequest) -> bool:
    return request.GET.get("all") == "1"


def _listed(request: DeskRequest) -> SafeString:
    still_open, flat = list_lines(everything=_wants_all(request))
    shown = {**rights(request), "lines": still_open.lines, "is_cut": still_open.is_cut}
    shown["flat"] = flat
    return compact(render_to_string("orders/_sets.html", shown))
