"""The status page: what is well, what it costs, and the beats, which operators can start."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import DeskRequest, may_sync, signed_in
from accounts.domain.beats import NAMES, Beat
from accounts.live.responses import live_panel
from accounts.services.beat_runs import BeatAge, beat_ages
from accounts.services.uptime import uptimes
from accounts.tasks.queue import QueueDown, check_queue
from orders.selectors.health import health, run_version
from orders.selectors.table_sizes import table_sizes
from orders.services.sync_costs import sync_cost, sync_costs
from orders.tasks.health import queue_part
from orders.tasks.reading import ring_sync
from orders.views.frame import frame, rights

RUNG = "{} are read now. {}"


@require_safe
@signed_in
def status(request: DeskRequest) -> HttpResponse:
    """Show how everything is."""
    ages = beat_ages(now=timezone.now())
    shown = {**frame(request, beats=ages), **_shown(request, ages)}
    return render(request, "orders/status.html", shown)


@require_safe
@signed_in
@live_panel("status", also=run_version)
def status_panel(request: DeskRequest) -> HttpResponse:
    """Show the same for an open page."""
    return render(request, "orders/_status.html", _shown(request))


@require_POST
@signed_in
@may_sync
def sync(request: DeskRequest, name: str) -> HttpResponse:
    """Start one run of a beat now."""
    beat = beat_of(name)
    try:
        check_queue()
    except QueueDown as error:
        messages.error(request, str(error))
        return redirect("status")
    cost = sync_cost(beat)
    ring_sync(beat, by=request.user.get_username())
    messages.success(request, RUNG.format(NAMES[beat], cost))
    return redirect("status")


def beat_of(name: str) -> Beat:
    """Return the beat of this name in an address. Errors: Http404."""
    try:
        return Beat(name.upper())
    except ValueError:
        raise Http404 from None


def _shown(request: DeskRequest, ages: Sequence[BeatAge] | None = None) -> dict[str, Any]:
    found = health(queue=queue_part(), now=timezone.now(), ages=ages)
    costs = sync_costs([one.beat for one in found.beats])
    return {
        "health": found,
        "beats": [(one, costs[one.beat]) for one in found.beats],
        "uptimes": uptimes(now=timezone.now()),
        "sizes": table_sizes(),
        **rights(request),
    }
