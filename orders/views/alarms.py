"""Alarms: acknowledged once for everybody, and kept."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import DeskRequest, may_trade, signed_in
from accounts.selectors import open_alarms, past_alarms
from accounts.services.alarms import acknowledge
from orders.selectors.hooks import with_tellings
from orders.views.frame import frame, notices


@require_safe
@signed_in
def alarms(request: DeskRequest) -> HttpResponse:
    """Show all alarms with who was told of them; open ones stand above every page, too."""
    alarms = [*reversed(open_alarms()), *past_alarms()]
    return render(request, "orders/alarms.html", {**frame(request), "shown": with_tellings(alarms)})


@require_POST
@signed_in
@may_trade
def acknowledge_alarm(request: DeskRequest, alarm_id: int) -> HttpResponse:
    """Take an alarm off everybody's pages; one that is off already stays so."""
    acknowledge(alarm_id, user=request.user, now=timezone.now())
    if request.htmx:
        return render(request, "orders/_notices.html", notices(request))
    return redirect("desk")
