"""The options desk: live orders, placed order sets and order entry, each pane by itself live."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from accounts.live.panels import panel_version
from accounts.live.responses import live_panel
from orders.decorators import exchange_date
from orders.selectors.desk_facts import Kind
from orders.selectors.desk_list import DeskList, list_desk, read_wish
from orders.selectors.set_lines import open_lines
from orders.views.frame import frame, rights


@require_safe
@signed_in
def desk(request: DeskRequest) -> HttpResponseBase:
    """Show the whole desk; what the filter asks for from an open page is the list alone."""
    if request.htmx and not request.htmx.history_restore_request:
        return orders_panel(request)
    return desk_page(request, {})


@require_safe
@signed_in
@live_panel("orders")
def orders_panel(request: DeskRequest) -> HttpResponse:
    """Show the list of broadcasts, and what stands around it, for an open page."""
    shown = {**rights(request), "listed": list_options(request)}
    return render(request, "orders/orders_update.html", shown)


@require_safe
@signed_in
@live_panel("sets")
def sets_panel(request: DeskRequest) -> HttpResponse:
    """Show the open sets for an open page."""
    shown = {**rights(request), "sets": open_lines(Kind.OPTIONS)}
    return render(request, "orders/_sets_pane.html", shown)


def desk_page(request: DeskRequest, shown: Mapping[str, Any]) -> HttpResponse:
    """Answer with the whole page."""
    around = {
        "sets_version": panel_version("sets"),
        "listed": list_options(request),
        "sets": open_lines(Kind.OPTIONS),
        "pane": "",
        "saved": None,
        **frame(request),
        **rights(request),
    }
    return render(request, "orders/desk.html", {**around, **shown})


def list_options(request: DeskRequest) -> DeskList:
    """Return the options broadcasts that the address asks for."""
    today = exchange_date(timezone.now())
    return list_desk(Kind.OPTIONS, read_wish(request.GET.dict()), today=today)
