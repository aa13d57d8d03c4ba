"""The stock desk: orders in shares, the ticket beside them, what the fleet holds of shares."""

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
from orders.selectors.desk import ground_of_orders
from orders.selectors.desk_facts import Kind
from orders.selectors.desk_list import DeskList, list_desk, read_wish
from orders.selectors.ground import Ground
from orders.selectors.positions import HeldRow, Holding
from orders.selectors.positions_list import PositionsWish, View, wanted_positions
from orders.views.desk import compact
from orders.views.frame import frame, rights
from orders.views.positions import held_now
from orders.views.saved import saved_of
from strategies.domain.new_york import exchange_date

LIST = "orders/_stock_orders.html"
HELD = PositionsWish(view=View.SYMBOLS, kind=Holding.STOCKS)


@require_safe
@signed_in
def stocks(request: DeskRequest) -> HttpResponseBase:
    """Show the whole desk; what the filter asks for from an open page is the list alone."""
    if request.htmx and not request.htmx.history_restore_request:
        answer = stock_orders_panel(request)
        answer["HX-Replace-Url"] = reverse("stocks") + read_wish(request.GET.dict()).query
        return answer
    framed = frame(request)
    ground = ground_of_orders(Kind.STOCKS)  # nothing is read of it before somebody asks
    shown = {
        **framed,
        **rights(request),
        **_orders(request, framed["orders_version"], ground),
        "held": _held(framed["frame_version"], ground),
        "positions_version": framed["frame_version"],
        **(saved_of(request, "shares") if request.user.may_trade else {"saved": None}),
    }
    return render(request, "orders/stocks.html", shown)


@require_safe
@signed_in
@live_panel("orders")
def stock_orders_panel(request: DeskRequest) -> HttpResponse:
    """Show the list of broadcasts, and what stands around it, for an open page."""
    shown = {**rights(request), "listed": _listed(request), "table": LIST}
    return HttpResponse(compact(render_to_string("orders/orders_update.html", shown)))


@require_safe
@signed_in
@live_panel("positions")
def stock_positions_panel(request: DeskRequest) -> HttpResponse:
    """Show what the fleet holds of shares, for an open page."""
    return render(request, "orders/_stock_positions.html", {"held": _held(), **rights(request)})


def _orders(request: DeskRequest, version: str, ground: Ground) -> dict[str, Any]:
    """Return the list for a page, rendered once per version."""
    wish = read_wish(request.GET.dict())
    key = f"stock-orders {version} {seen_as(request)} {wish.query}"
    listed, orders = rendered.get(key, lambda: _list_pane(request, ground))
    return {"listed": listed, "orders": orders}


def _list_pane(request: DeskRequest, ground: Ground) -> tuple[DeskList, SafeString]:
    listed = _listed(request, ground)
    shown = {**rights(request), "listed": listed}
    return listed, compact(render_to_string(LIST, shown))


def _listed(request: DeskRequest, ground: Ground | None = None) -> DeskList:
    """Return the broadcasts in shares that the address asks for."""
    today = exchange_date(timezone.now())
    return list_desk(Kind.STOCKS, read_wish(request.GET.dict()), today=today, ground=ground)


def _held(version: str = "", ground: Ground | None = None) -> list[HeldRow]:
    """Return the sums of the shares that the fleet holds."""
    return wanted_positions(held_now(version, ground), HELD)
