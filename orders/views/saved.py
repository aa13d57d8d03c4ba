"""Saved orders: keep a ticket, load one into its review, name, number and throw away."""

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import DeskRequest, may_trade, signed_in
from orders.domain.saved import Unreadable
from orders.forms.saving import SaveForm, values_of
from orders.models import SavedOrder
from orders.selectors.saved import find_saved, list_saved
from orders.services.saving import CannotSave, delete_saved, rename_saved, save_order
from orders.views.frame import frame
from orders.views.page_events import with_events
from orders.views.ticket import fresh_ticket, posted, show_review, show_ticket, ticket_form
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Strategy

KINDS: Mapping[str, Collection[Strategy]] = {
    "shares": [Strategy.EQUITY],
    "options": [one for one in Strategy if one is not Strategy.EQUITY],
}


@require_safe
@signed_in
@may_trade
def saved_orders(request: DeskRequest) -> HttpResponse:
    """List the agent's saved orders, for an open page or as a page."""
    if request.htmx:
        shown = saved_of(request, request.GET.get("kind", ""))
        return render(request, "orders/_saved_orders.html", shown)
    return render(request, "orders/saved_orders.html", {**frame(request), **saved_of(request)})


@require_safe
@signed_in
@may_trade
def load(request: DeskRequest, saved_id: int) -> HttpResponse:
    """Open the review of a saved order at its own limit; nothing is sent."""
    saved = _find(request, saved_id)
    try:
        values = values_of(saved)
    except Unreadable as error:
        form = fresh_ticket(QueryDict())
        form.add_error(None, f"{saved.name} cannot be loaded: {error} Build it anew.")
        return show_ticket(request, form)
    return show_review(request, ticket_form(values))


@require_POST
@signed_in
@may_trade
def save(request: DeskRequest) -> HttpResponse:
    """Keep the ticket as a template, and come back to it."""
    form, wish = posted(request), SaveForm(request.POST, prefix="save")
    if not all([form.is_valid(), wish.is_valid()]):
        return show_ticket(request, form, save=wish, dressed=False)
    try:
        saved = save_order(
            agent=request.user,
            ticket=form.ticket,
            choice=form.choice(),
            now=timezone.now(),
            **wish.cleaned_data,
        )
    except CannotSave as error:
        wish.add_error(error.field, str(error))
        return show_ticket(request, form, save=wish, dressed=False)
    if not request.htmx:
        messages.success(request, f"Saved as {saved.name}.")
        return redirect("saved-orders")
    answer = show_ticket(
        request, form, dressed=False, template="orders/saved_kept.html", saved=saved
    )
    return with_events(answer, "savedOrders")


@require_POST
@signed_in
@may_trade
def edit(request: DeskRequest, saved_id: int) -> HttpResponse:
    """Give a saved order another name or key."""
    saved, wish = _find(request, saved_id), SaveForm(request.POST)
    if not wish.is_valid():
        return _listed(request, "Give it a name, and a key from the list.", level="error")
    try:
        rename_saved(saved, now=timezone.now(), **wish.cleaned_data)
    except CannotSave as error:
        return _listed(request, str(error), level="error")
    return _listed(request, f"Kept as {saved.name}.")


@require_POST
@signed_in
@may_trade
def delete(request: DeskRequest, saved_id: int) -> HttpResponse:
    """Throw a saved order away."""
    saved = _find(request, saved_id)
    delete_saved(saved, now=timezone.now())
    return _listed(request, f"{saved.name} was deleted.")


def saved_of(request: DeskRequest, kind: str = "") -> dict[str, Any]:
    """Return what `orders/_saved_orders.html` needs: `kind` is `shares`, `options`, or all."""
    today = exchange_date(timezone.now())
    lines = list_saved(request.user, today=today, strategies=KINDS.get(kind))
    return {"saved": lines, "saved_kind": kind if kind in KINDS else ""}


def _listed(request: DeskRequest, said: str, level: str = "success") -> HttpResponse:
    if request.htmx:
        shown = {**saved_of(request, request.GET.get("kind", "")), "said": said, "level": level}
        return render(request, "orders/saved_update.html", shown)
    messages.add_message(request, getattr(messages, level.upper()), said)
    return redirect("saved-orders")


def _find(request: DeskRequest, saved_id: int) -> SavedOrder:
    saved = find_saved(request.user, saved_id)
    if saved is None:
        raise Http404("You have no such saved order.")
    return saved
