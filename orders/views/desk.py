"""The desk's first page: what is out there, in three panes."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import ptag

from accounts.decorators import DeskRequest, signed_in
from accounts.selectors import latest_event_id
from orders.selectors.desk import desk_rows, last_row
from orders.views.frame import frame, notices


def version(request: DeskRequest) -> str:
    """Return the tag of the list: it changes whenever anything in it may have."""
    return str(latest_event_id())


@require_safe
@signed_in
def desk(request: DeskRequest) -> HttpResponse:
    """Show the last broadcasts; the ticket follows by itself, so a slow broker delays nothing."""
    return desk_page(request, {})


@require_safe
@signed_in
@ptag(version)
def broadcasts(request: DeskRequest) -> HttpResponse:
    """Show the list for an open page; nothing at all if that page has this version."""
    return render(request, "orders/broadcasts.html", {**_listed(), **notices(request)})


def desk_page(request: DeskRequest, shown: Mapping[str, Any]) -> HttpResponse:
    """Answer with the whole page."""
    around = {"version": version(request), **_listed(), **frame(request), "pane": ""}
    return render(request, "orders/desk.html", {**around, **shown})


def _listed() -> dict[str, Any]:
    rows = desk_rows()
    return {"rows": rows, "last": last_row(rows)}
