"""The ticket in two steps: what is typed, then its review, then the click that sends it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import DeskRequest, may_trade, signed_in
from accounts.services.proving import WrongPassword, check_own_password
from accounts.services.tries import TooManyTries
from accounts.tasks.queue import QueueDown, check_queue
from orders.decorators import received_at
from orders.domain.errors import BadTicket, GuardRefused, KeyReused
from orders.domain.guards import Guard
from orders.forms.drawing import PRICE_ACTS, draw_ticket
from orders.forms.dressing import (
    MARKET,
    REMEMBERED,
    ask_exactly,
    check_listed,
    dress,
    redraw_ticket,
)
from orders.forms.saving import SaveForm
from orders.forms.showing import judge_typed, show
from orders.forms.ticket import CONFIRMATIONS, TicketForm
from orders.selectors.account_choices import account_choices
from orders.selectors.guarding import Judged, find_duplicates, judge
from orders.selectors.proving import why_prove
from orders.selectors.saved import free_number
from orders.services.creating import Creation, create_order
from orders.services.freezing import PasswordRequired
from orders.tasks import ring_for_new
from orders.views.frame import frame
from orders.views.page_events import CLOSE, with_events
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Problem

# Beside what proving keeps: a sign-in is no password given to send something.
PROVED_AT = "proved_to_send_at"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
def ticket(request: DeskRequest) -> HttpResponse:
    """Show the ticket with what the market offers for what is typed; a POST comes back to it."""
    form = fresh_ticket(request.POST or request.GET)
    if request.htmx and request.POST.get("act") in PRICE_ACTS:
        return show_ticket(request, form, template="orders/ticket_redrawn.html")
    return show_ticket(request, form)


@require_POST
@signed_in
@may_trade
def figures(request: DeskRequest) -> HttpResponse:
    """Check what is typed and work it out, by prices that are known; `fresh` asks for new ones."""
    form = posted(request)
    form.full_clean()
    offer, words = ask_exactly(form, MARKET if "fresh" in request.GET else REMEMBERED)
    dress(form, form.shape(), offer, words)
    judged, problems = judge_typed(form, now=timezone.now())
    shown = {"form": form, "shown": show(form, judged, problems)}
    return render(request, "orders/ticket_update.html", shown)


@require_POST
@signed_in
@may_trade
def review(request: DeskRequest) -> HttpResponse:
    """Show what would be sent, to whom and what the guards object to, or the ticket's errors."""
    return show_review(request, posted(request))


@require_POST
@signed_in
@may_trade
def send(request: DeskRequest) -> HttpResponse:
    """Broadcast the reviewed ticket, once per intent."""
    form = posted(request)
    if not form.is_valid():
        return _refused(request, form)
    try:
        _prove(request)
        creation = _create(request, form)
    except PasswordRequired as error:
        return show_review(request, form, wrong_password=str(error))
    except GuardRefused as error:
        return show_review(request, form, [*error.problems, *error.overridden])
    except (BadTicket, KeyReused, QueueDown) as error:
        form.refuse(error)
        return _refused(request, form)
    return _sent(request, creation)


def fresh_ticket(typed: Any) -> TicketForm:
    """Return a ticket drawn from what is typed and what the market offers."""
    return draw_ticket(typed, account_choices=account_choices(), today=_today())


def show_ticket(
    request: DeskRequest,
    form: TicketForm,
    *,
    save: SaveForm | None = None,
    dressed: bool = True,
    template: str = "orders/_ticket.html",
    **more: Any,
) -> HttpResponse:
    """Show the first step.

    Args:
        save: the form that keeps it as a template, if it was sent.
        dressed: whether the form has the market's prices already.
    """
    if not dressed:
        redraw_ticket(form)
    return answer(request, template, {**_shown(request, form, save), **more})


def posted(request: DeskRequest) -> TicketForm:
    """Return the ticket that came with a request."""
    return ticket_form(request.POST)


def ticket_form(values: Any) -> TicketForm:
    """Return a ticket with these values, to be checked."""
    return TicketForm(values, data=values, account_choices=account_choices(), today=_today())


def show_review(
    request: DeskRequest,
    form: TicketForm,
    problems: Sequence[Problem] | None = None,
    wrong_password: str = "",
) -> HttpResponse:
    """Show the review with these objections, or with those that a click would meet now."""
    if form.is_valid():
        check_listed(form)
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
        **_reviewed(form, judged, problems),
        "why_prove": why_prove(request.user, proved_at=_proved_at(request), now=now),
        "wrong_password": wrong_password,
    }
    return answer(request, "orders/_review.html", shown)


def answer(request: DeskRequest, template: str, shown: Mapping[str, Any]) -> HttpResponse:
    """Answer with a step of the ticket: for the dialog, for where it stands, or a whole page."""
    if request.htmx and request.htmx.target == "dialog#modal":
        shown["form"].focus()
        return render(request, "orders/ticket_dialog.html", {**shown, "pane": template})
    if request.htmx:
        return render(request, template, shown)
    return render(request, "orders/ticket.html", {**frame(request), **shown, "pane": template})


def _reviewed(form: TicketForm, judged: Judged, problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "form": form,
        "preview": judged,
        "shown": show(form, judged),
        "objections": [(one, CONFIRMATIONS.get(Guard(one.code))) for one in problems],
        "is_blocked": not judged.sent or not all(one.is_overridable for one in problems),
    }


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
    ring_for_new(creation)
    return creation


def _sent(request: DeskRequest, creation: Creation) -> HttpResponse:
    if request.htmx:
        sent = render(request, "orders/_sent.html", {"creation": creation})
        return with_events(sent, "sent", CLOSE)
    done = "sent" if creation.is_new else "was sent before; this is the same one"
    messages.success(request, f"Broadcast {creation.order} {done}.")
    return redirect("desk")


def _prove(request: DeskRequest) -> None:
    """Take the agent's password where one is needed. Errors: PasswordRequired."""
    now = timezone.now()
    why = why_prove(request.user, proved_at=_proved_at(request), now=now)
    if not why:
        return
    given = request.POST.get("password", "")
    if not given:
        raise PasswordRequired("Give your password. Nothing was sent.")
    try:
        check_own_password(request.user, given, now=now)
    except (WrongPassword, TooManyTries) as error:
        raise PasswordRequired(f"{error} Nothing was sent.") from None
    request.session[PROVED_AT] = now.isoformat()


def _proved_at(request: DeskRequest) -> datetime | None:
    at = request.session.get(PROVED_AT)
    return datetime.fromisoformat(at) if at else None


def _refused(request: DeskRequest, form: TicketForm) -> HttpResponse:
    return show_ticket(request, form, dressed=False)


def _shown(request: DeskRequest, form: TicketForm, save: SaveForm | None = None) -> dict[str, Any]:
    judged, problems = judge_typed(form, now=timezone.now())
    save = save or SaveForm(prefix="save", initial={"number": free_number(request.user)})
    return {"form": form, "shown": show(form, judged, problems), "save": save}


def _today() -> date:
    return exchange_date(timezone.now())
