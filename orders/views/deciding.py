"""Pages on which the agent sees orders of unknown outcome, and decides what the machine may not."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, may_trade, signed_in
from orders.selectors.deciding import Candidate, UnknownOrder, find_unknown, list_unknown
from orders.services.deciding import CannotDecide, adopt_candidate, rule_out_candidates
from orders.views.dialogs import ask, is_in_dialog, tell
from orders.views.frame import frame

SETTLED = "This order is not unknown any more; below is what became of it. Nothing was changed."
GONE = "Order {} is not one of its candidates any more. Nothing was changed."
FOUND = "Order {} is this one: it counts as placed, and is followed."
RULED_OUT = "None is this one: the order counts as not placed."


@require_safe
@signed_in
def unknown_orders(request: DeskRequest) -> HttpResponse:
    """Show every order of unknown outcome; an open page asks for the list alone."""
    return _shown(request, "unknown_orders", {"orders": list_unknown()})


@require_safe
@signed_in
def unknown_order(request: DeskRequest, child_id: UUID) -> HttpResponse:
    """Show what is known of one; an open page asks for that alone."""
    return _show(request, _get(child_id))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
def ours(request: DeskRequest, child_id: UUID, number: str) -> HttpResponse:
    """Say what it means that a candidate is ours; a POST says that it is."""
    order = _get(child_id)
    candidate = order.candidate(number)
    if candidate is None:
        return _show(request, order, GONE.format(number) if order.is_unknown else SETTLED)
    if request.method != "POST":
        return _ask(request, order, candidate)
    return _decide(
        request,
        child_id,
        lambda: adopt_candidate(child_id, number, agent=request.user, now=timezone.now()),
        FOUND.format(number),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
def none_is_ours(request: DeskRequest, child_id: UUID) -> HttpResponse:
    """Say what it means that no candidate is ours; a POST says that of those it has seen."""
    order = _get(child_id)
    if not order.is_unknown:
        return _show(request, order, SETTLED)
    if request.method != "POST":
        return _ask(request, order)
    seen = request.POST.getlist("seen")
    return _decide(
        request,
        child_id,
        lambda: rule_out_candidates(child_id, seen=seen, agent=request.user, now=timezone.now()),
        RULED_OUT,
    )


def _decide(
    request: DeskRequest, child_id: UUID, decision: Callable[[], None], done: str
) -> HttpResponse:
    try:
        decision()
    except CannotDecide as error:
        return _show(request, _get(child_id), str(error))
    return tell(request, done, to=reverse("unknown-order", args=[child_id]))


def _get(child_id: UUID) -> UnknownOrder:
    order = find_unknown(child_id)
    if order is None:
        raise Http404
    return order


def _ask(
    request: DeskRequest, order: UnknownOrder, candidate: Candidate | None = None
) -> HttpResponse:
    shown = {
        "order": order,
        "candidate": candidate,
        "address": request.path,
        "dialog_title": f"Order #{order.broadcast} in {order.alias}: decide",
        "back": reverse("unknown-order", args=[order.child_id]),
    }
    return ask(request, "orders/_decision.html", shown)


def _show(request: DeskRequest, order: UnknownOrder, problem: str = "") -> HttpResponse:
    """Show an order; with a problem, nothing was changed by what was asked."""
    if problem and is_in_dialog(request):
        to = reverse("unknown-order", args=[order.child_id])
        return tell(request, problem, to=to, level=messages.ERROR)
    shown = {
        "order": order,
        "problem": problem,
        "may_trade": request.user.may_trade,
        "now": timezone.now(),
    }
    return _shown(request, "unknown_order", shown, status=409 if problem else 200)


def _shown(
    request: DeskRequest, name: str, shown: dict[str, Any], status: int = 200
) -> HttpResponse:
    if request.htmx:
        return render(request, f"orders/_{name}.html", shown, status=status)
    return render(request, f"orders/{name}.html", {**frame(request), **shown}, status=status)
