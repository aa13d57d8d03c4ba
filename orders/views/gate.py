"""The page on which an agent opens a closed gate, in two steps."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.decorators import DeskRequest, freshly_proved_to_change, may_trade, signed_in
from accounts.services.gate import find_gate, open_gate
from orders.views.frame import frame


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
@freshly_proved_to_change
def gate(request: DeskRequest) -> HttpResponse:
    """Say what opening means; a POST opens."""
    if request.method != "POST":
        return render(request, "orders/gate.html", {**frame(request), "gate": find_gate()})
    if open_gate(now=timezone.now(), by=request.user):
        messages.success(request, "Trading is open.")
    else:
        messages.info(request, "Trading was open already; nothing was changed.")
    return redirect("desk")
