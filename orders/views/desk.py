"""The options desk: live orders, placed order sets and order entry, each pane by itself live."""

import re
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from accounts.live.responses import live_panel, seen_as
from accounts.live.shelf import rendered
from orders.selectors.desk_facts import Kind
from orders.selectors.desk_list import DeskList, list_desk, read_wish
from orders.selectors.ground import Ground
from orders.selectors.saved import list_saved
from orders.selectors.set_lines import ground_of_desk, open_lines
from orders.views.frame import frame, rights
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Strategy

LIST = "orders/_orders.html"
_INDENTS = re.compile(r"\n\s+")  # begins with a letter: that is found three times as fast


@require_safe
@signed_in
def desk(request: DeskRequest) -> HttpResponseBase:
    """Show the whole desk; what the filter asks for from an open page is the list alone."""
    if request.htmx and not request.htmx.history_restore_request:
        answer = orders_panel(request)
        answer["HX-Replace-Url"] = reverse("desk") + read_wish(request.GET.dict()).query
        return answer
    framed = frame(request)
    version = framed["frame_version"]  # was read before everything; it says what sets' say, too
    ground = ground_of_desk(Kind.OPTIONS)  # nothing is read of it before somebody asks
    shown = {
        **framed,
        **rights(request),
        **_orders(request, framed["orders_version"], ground),
        "sets": _sets(request, version, ground),
        "sets_version": version,
        "saved": _saved(request),
        "saved_kind": "options",
    }
    return render(request, "orders/desk.html", shown)


@require_safe
@signed_in
@live_panel("orders")
def orders_panel(request: DeskRequest) -> HttpResponse:
    """Show the list of broadcasts, and what stands around it, for an open page."""
    shown = {**rights(request), "listed": _listed(request), "table": LIST}
    return HttpResponse(compact(render_to_string("orders/orders_update.html", shown)))


@require_safe
@signed_in
@live_panel("sets")
def sets_panel(request: DeskRequest) -> HttpResponse:
    """Show the open sets for an open page."""
    return HttpResponse(_sets_pane(request))


def compact(html: str) -> SafeString:
    """Leave out the indents of the templates: they are a quarter of a list of thousands of tags.

    A line break stays, for it may stand between two words. Nothing of a list is preformatted.
    """
    return SafeString(_INDENTS.sub("\n", html))


def _orders(request: DeskRequest, version: str, ground: Ground) -> dict[str, Any]:
    """Return the list for a page, rendered once per version."""
    wish = read_wish(request.GET.dict())
    key = f"desk-orders {version} {seen_as(request)} {wish.query}"
    listed, orders = rendered.get(key, lambda: _list_pane(request, ground))
    return {"listed": listed, "orders": orders}


def _sets(request: DeskRequest, version: str, ground: Ground) -> SafeString:
    """Return the sets for a page, rendered once per version."""
    key = f"desk-sets {version} {seen_as(request)}"
    return rendered.get(key, lambda: _sets_pane(request, ground))


def _list_pane(request: DeskRequest, ground: Ground) -> tuple[DeskList, SafeString]:
    listed = _listed(request, ground)
    shown = {**rights(request), "listed": listed}
    return listed, compact(render_to_string(LIST, shown))


def _sets_pane(request: DeskRequest, ground: Ground | None = None) -> SafeString:
    shown = {**rights(request), "sets": open_lines(Kind.OPTIONS, ground=ground)}
    return compact(render_to_string("orders/_sets_pane.html", shown))


def _listed(request: DeskRequest, ground: Ground | None = None) -> DeskList:
    """Return the options broadcasts that the address asks for."""
    today = exchange_date(timezone.now())
    return list_desk(Kind.OPTIONS, read_wish(request.GET.dict()), today=today, ground=ground)


def _saved(request: DeskRequest) -> object:
    if not request.user.may_trade:
        return None
    today = exchange_date(timezone.now())
    options = [one for one in Strategy if one is not Strategy.EQUITY]
    return list_saved(request.user, today=today, strategies=options)
