"""The ticket in two steps: what is typed, then its review, then the click that sends it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from accounts.decorators import DeskRequest, may_trade, signed_in
from accounts.tasks.queue import QueueDown, check_queue
from orders.decorators import exchange_date, received_at
from orders.domain.errors import BadTicket, GuardRefused, KeyReused
from orders.domain.guards import Guard
from orders.forms.drawing import check_listed, draw_ticket, market_words, redraw_ticket
from orders.forms.ticket import CONFIRMATIONS, TicketForm
from orders.selectors.account_choices import account_choices
from orders.selectors.guarding import find_duplicates, judge
from orders.services.creating import Creation, create_order
from orders.tasks import ring_for
from orders.views.desk import desk_page
from strategies.domain.tickets import Problem


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
def ticket(request: DeskRequest) -> HttpResponse:
    """Show the ticket with what the market offers for what is typed; a POST comes back to it."""
    typed = {name: str(text) for name, text in (request.POST or request.GET).items()}
    form = draw_ticket(typed, account_choices=account_choices(), today=_today())
    return _pane(request, "orders/_ticket.html", {"form": form})


@require_POST
@signed_in
@may_trade
def review(request: DeskRequest) -> HttpResponse:
    """Show what would be sent, to whom and what the guards object to, or the ticket's errors."""
    return _review(request, _posted(request))


@require_POST
@signed_in
@may_trade
def send(request: DeskRequest) -> HttpResponse:
    """Broadcast the reviewed ticket, once per intent."""
    form = _posted(request)
    if not form.is_valid():
        return _refused(request, form)
    try:
        creation = _create(request, form)
    except GuardRefused as error:
        return _review(request, form, [*error.problems, *error.overridden])
    except (BadTicket, KeyReused, QueueDown) as error:
        form.refuse(error)
        return _refused(request, form)
    return _sent(request, creation)


def _review(
    request: DeskRequest, form: TicketForm, problems: Sequence[Problem] | None = None
) -> HttpResponse:
    """Show the review with these objections, or with those that a click would meet now."""
    if form.is_valid():
        offer = check_listed(form)
    if not form.is_valid():
        return _refused(request, form)
    now = timezone.now()
    try:
        judged = judge(form.ticket, form.choice(), now=now, today=form.today)
    except BadTicket as error:
        form.refuse(error)
        return _refused(request, form)
    if problems is None:
        problems = [*judged.problems, *find_duplicates(judged, now=now)]
    shown = {
        "form": form,
        "preview": judged,
        "market": market_words(offer) if offer else form.market_words,
        "objections": [(one, CONFIRMATIONS.get(Guard(one.code))) for one in problems],
        "is_blocked": not judged.sent or not all(one.is_overridable for one in problems),
    }
    return _pane(request, "orders/_review.html", shown)


def _create(request: DeskRequest, form: TicketForm) -> Creation:
    check_queue()
    creation = create_order(
        agent=request.user,
        ticket=form.ticket,
        choice=form.choice(),
        confirm=form.confirmed(),
        idempotency_key=form.cleaned_data["intent"],
        clicked_at=received_at(request),
        now=timezone.now(),
        today=form.today,
    )
    ring_for(creation.ready)
    return creation


def _sent(request: DeskRequest, creation: Creation) -> HttpResponse:
    if request.htmx:
        answer = render(request, "orders/_sent.html", {"creation": creation})
        return trigger_client_event(answer, "sent", {})
    done = "sent" if creation.is_new else "was sent before; this is the same one"
    messages.success(request, f"Broadcast {creation.order} {done}.")
    return redirect("desk")


def _posted(request: DeskRequest) -> TicketForm:
    return TicketForm(
        request.POST, data=request.POST, account_choices=account_choices(), today=_today()
    )


def _refused(request: DeskRequest, form: TicketForm) -> HttpResponse:
    redraw_ticket(form)
    return _pane(request, "orders/_ticket.html", {"form": form})


def _pane(request: DeskRequest, template: str, shown: Mapping[str, Any]) -> HttpResponse:
    """Answer with the ticket's pane, or without JavaScript with the whole page around it."""
    if request.htmx:
        return render(request, template, shown)
    return desk_page(request, {**shown, "pane": template})


def _today() -> date:
    return exchange_date(timezone.now())
