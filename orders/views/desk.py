"""The options desk: live orders, placed order sets and order entry, each pane by itself live."""

import re
from dataclasses import dataclass

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from accounts.live.panels import panel_version
from accounts.live.responses import live_panel, seen_as
from accounts.live.shelf import rendered
from orders.decorators import exchange_date
from orders.selectors.desk_facts import Kind
from orders.selectors.desk_list import DeskList, list_desk, read_wish
from orders.selectors.saved import list_saved
from orders.selectors.set_lines import open_lines
from orders.views.frame import frame, rights
from strategies.domain.tickets import Strategy

_INDENTS = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Panes:
    """The panes that are the same for all who may see the same."""

    listed: DeskList
    orders: SafeString
    sets: SafeString


@require_safe
@signed_in
def desk(request: DeskRequest) -> HttpResponseBase:
    """Show the whole desk; what the filter asks for from an open page is the list alone."""
    if request.htmx and not request.htmx.history_restore_request:
        return orders_panel(request)
    version = panel_version("sets")
    seen = f"{read_wish(request.GET.dict()).query} {seen_as(request)}"
    shown = {
        "panes": rendered.get(f"desk {version} {seen}", lambda: _panes(request)),
        "sets_version": version,
        "saved": _saved(request),
        "saved_kind": "options",
        **frame(request),
        **rights(request),
    }
    return render(request, "orders/desk.html", shown)


@require_safe
@signed_in
@live_panel("orders")
def orders_panel(request: DeskRequest) -> HttpResponse:
    """Show the list of broadcasts, and what stands around it, for an open page."""
    shown = {**rights(request), "listed": _listed(request)}
    return HttpResponse(compact(render_to_string("orders/orders_update.html", shown)))


@require_safe
@signed_in
@live_panel("sets")
def sets_panel(request: DeskRequest) -> HttpResponse:
    """Show the open sets for an open page."""
    shown = {**rights(request), "sets": open_lines(Kind.OPTIONS)}
    return HttpResponse(compact(render_to_string("orders/_sets_pane.html", shown)))


def compact(html: str) -> SafeString:
    """Leave out the indents of the templates: they are a quarter of a list of thousands of tags.

    A line break stays, for it may stand between two words. Nothing of a list is preformatted.
    """
    return SafeString(_INDENTS.sub("\n", html))


def _panes(request: DeskRequest) -> Panes:
    shown = {**rights(request), "listed": _listed(request), "sets": open_lines(Kind.OPTIONS)}
    names = ("_orders", "_sets_pane")
    orders, sets = (compact(render_to_string(f"orders/{name}.html", shown)) for name in names)
    return Panes(shown["listed"], orders, sets)


def _listed(request: DeskRequest) -> DeskList:
    """Return the options broadcasts that the address asks for."""
    today = exchange_date(timezone.now())
    return list_desk(Kind.OPTIONS, read_wish(request.GET.dict()), today=today)


def _saved(request: DeskRequest) -> object:
    if not request.user.may_trade:
        return None
    today = exchange_date(timezone.now())
    options = [one for one in Strategy if one is not Strategy.EQUITY]
    return list_saved(request.user, today=today, strategies=options)
