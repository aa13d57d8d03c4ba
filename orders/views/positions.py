"""The positions of the fleet, what explains them, and the orders that were made elsewhere."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from accounts.live.panels import panel_version
from accounts.live.responses import live_panel
from accounts.live.shelf import rendered
from orders.selectors.external import list_external
from orders.selectors.ground import Ground
from orders.selectors.positions import Held, HeldRow, Holding, all_positions
from orders.selectors.positions_list import (
    PositionsList,
    PositionsWish,
    list_positions,
    read_positions_wish,
    wanted_positions,
)
from orders.views.frame import frame
from orders.views.tables import csv_answer

HEAD = (
    *("account", "number", "symbol", "kind", "quantity", "average_price", "mark", "market_value"),
    *("open_gain", "sets", "not_ours", "read_at"),
)


@require_safe
@signed_in
def positions(request: DeskRequest) -> HttpResponseBase:
    """Show the page; what the filter asks for from an open page is the list alone."""
    if request.htmx and not request.htmx.history_restore_request:
        answer = positions_panel(request)
        answer["HX-Replace-Url"] = reverse("positions") + _wish(request).query()
        return answer
    framed = frame(request)
    shown = {
        **framed,
        "listed": _listed(request, framed["frame_version"]),
        "kinds": [(one.value, one.value.capitalize()) for one in Holding],
    }
    return render(request, "orders/positions.html", shown)


@require_safe
@signed_in
@live_panel("positions")
def positions_panel(request: DeskRequest) -> HttpResponse:
    """Show the list, and what stands around it, for an open page."""
    return render(request, "orders/positions_update.html", {"listed": _listed(request)})


@require_safe
@signed_in
def more_rows(request: DeskRequest) -> HttpResponse:
    """Show the rows of one more page, to stand below those that an open page shows."""
    listed = _listed(request)
    before = request.GET.get("shown", "")
    shown = int(before) if before.isdecimal() else listed.first
    return render(request, "orders/_positions_rows.html", {"listed": listed, "shown": shown})


@require_safe
@signed_in
def positions_csv(request: DeskRequest) -> HttpResponse:
    """Answer with everything that the page shows, whatever its page."""
    rows = wanted_positions(held_now(), _wish(request))
    return csv_answer("positions", HEAD, _cells(rows), now=timezone.now())


@require_safe
@signed_in
def elsewhere(request: DeskRequest) -> HttpResponse:
    """Show the orders that were made elsewhere."""
    framed = frame(request)
    shown = {**framed, "version": framed["frame_version"], "found": list_external()}
    return render(request, "orders/elsewhere.html", shown)


@require_safe
@signed_in
@live_panel("positions")
def elsewhere_panel(request: DeskRequest) -> HttpResponse:
    """Show the list of them for an open page."""
    return render(request, "orders/_elsewhere.html", {"found": list_external()})


def _listed(request: DeskRequest, version: str = "") -> PositionsList:
    return list_positions(held_now(version), _wish(request))


def _wish(request: DeskRequest) -> PositionsWish:
    return read_positions_wish(request.GET.dict())


def held_now(version: str = "", ground: Ground | None = None) -> Held:
    """Return all positions, read once per version: of those who filter them, most read nothing.

    Args:
        version: of the panel, if it is read already.
        ground: of the whole page, where it shows more than these.
    """
    key = f"positions {version or panel_version('positions')}"
    return rendered.get(key, lambda: all_positions(ground))


def _cells(rows: list[HeldRow]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield (
            row.account or f"{row.accounts} accounts",
            row.mask,
            row.text,
            row.kind.value,
            row.quantity.normalize(),
            row.average,
            row.mark,
            row.value,
            row.gain,
            " ".join(f"#{part.set_id}:{part.quantity.normalize():f}" for part in row.sets),
            row.strange.normalize(),
            row.read_at,
        )
