"""Pages of placed order sets: all of them, and one with its accounts and what an exit left over."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import ptag

from accounts.decorators import DeskRequest, signed_in
from orders.selectors.controlling import set_page, sets_version
from orders.selectors.set_lines import list_lines
from orders.selectors.sets import SetRow, find_set
from orders.views.frame import frame


def version(request: DeskRequest, *_: Any, **__: Any) -> str:
    """Return the tag of the pages of sets: it changes whenever anything in them may have."""
    return sets_version()


@require_safe
@signed_in
@ptag(version)
def sets(request: DeskRequest) -> HttpResponse:
    """Show every set, those that are not flat first; an open page asks for the list alone."""
    before = sets_version()
    still_open, flat = list_lines()
    return _shown(request, "sets", {"version": before, "lines": still_open, "flat": flat})


@require_safe
@signed_in
@ptag(version)
def placed_set(request: DeskRequest, set_id: int) -> HttpResponse:
    """Show one set; an open page asks for what changes in it alone."""
    before = sets_version()
    return _shown(request, "set", {"version": before, "shown": set_page(get_set(set_id))})


def get_set(set_id: int) -> SetRow:
    """Return a set. Errors: Http404."""
    row = find_set(set_id)
    if row is None:
        raise Http404
    return row


def _shown(request: DeskRequest, name: str, shown: dict[str, Any]) -> HttpResponse:
    if request.htmx:
        return render(request, f"orders/_{name}.html", shown)
    return render(request, f"orders/{name}.html", {**frame(request), **shown})
