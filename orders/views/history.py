"""The history of broadcasts, and all there is to see of one of them."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from accounts.live.panels import panel_version
from accounts.live.responses import live_panel, seen_as
from accounts.live.shelf import rendered
from orders.forms.history import HistoryForm
from orders.selectors.history import HistoryList, list_history, rows_from
from orders.selectors.history_detail import BroadcastDetail, find_detail
from orders.selectors.history_life import find_life
from orders.templatetags.dialogs import asks_for_dialog
from orders.views.desk import compact
from orders.views.frame import frame, rights


@require_safe
@signed_in
def history(request: DeskRequest) -> HttpResponseBase:
    """Show a page of the history; what the filters ask for from an open page is the list alone."""
    form = HistoryForm(request.GET.dict())
    if request.htmx and not request.htmx.history_restore_request:
        listed = _listed(request, form, panel_version("orders"))
        answer = render(request, "orders/history_update.html", listed)
        answer["HX-Replace-Url"] = reverse("history") + form.wish.address
        return answer
    framed = frame(request)
    shown = {**framed, **_listed(request, form, framed["orders_version"])}
    return render(request, "orders/history.html", shown)


@require_safe
@signed_in
def more_rows(request: DeskRequest) -> HttpResponse:
    """Show the rows of one more page, to stand below those that an open page shows."""
    listed = list_history(HistoryForm(request.GET.dict()).wish)
    shown = {"rows": listed.rows, "listed": listed}
    return HttpResponse(compact(render_to_string("orders/_history_rows.html", shown)))


@require_safe
@signed_in
@live_panel("orders")
def history_panel(request: DeskRequest) -> HttpResponse:
    """Show the first page of an open page again, with what was sent since."""
    rows = rows_from(HistoryForm(request.GET.dict()).wish)
    return HttpResponse(compact(render_to_string("orders/_history_rows.html", {"rows": rows})))


@require_safe
@signed_in
def broadcast(request: DeskRequest, order_id: int) -> HttpResponse:
    """Show a broadcast account by account: in the dialog of an open page, or on its own page."""
    shown = {**_detail(order_id), **rights(request)}
    if asks_for_dialog(request.htmx):
        return render(request, "orders/broadcast_dialog.html", shown)
    return render(request, "orders/broadcast.html", {**shown, **frame(request)})


@require_safe
@signed_in
@live_panel("orders")
def broadcast_pane(request: DeskRequest, order_id: int) -> HttpResponse:
    """Show the same beside the history."""
    shown = {**_detail(order_id), **rights(request)}
    return HttpResponse(compact(render_to_string("orders/_broadcast_detail.html", shown)))


@require_safe
@signed_in
def life(request: DeskRequest, child_id: UUID) -> HttpResponse:
    """Show everything that happened to one account's order: in its row, or on its own page."""
    found = find_life(child_id)
    if found is None:
        raise Http404
    if request.htmx:
        return render(request, "orders/_order_life.html", {"life": found})
    return render(request, "orders/order_life.html", {"life": found, **frame(request)})


def _listed(request: DeskRequest, form: HistoryForm, version: str) -> dict[str, Any]:
    """Return the list for a page, rendered once per version."""
    wish = form.wish
    key = f"history {version} {seen_as(request)} {wish.query()}"
    listed, table = rendered.get(key, lambda: _table(form))
    return {"form": form, "listed": listed, "table": table}


def _table(form: HistoryForm) -> tuple[HistoryList, SafeString]:
    listed = list_history(form.wish)
    shown = {"form": form, "listed": listed, "rows": listed.rows}
    return listed, compact(render_to_string("orders/_history.html", shown))


def _detail(order_id: int) -> dict[str, Any]:
    detail: BroadcastDetail | None = find_detail(order_id)
    if detail is None:
        raise Http404
    return {"detail": detail}
