"""The confirmation of an exit: what it closes, at which price, in which accounts."""

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import DeskRequest, may_exit, signed_in
from accounts.tasks.queue import QueueDown, check_queue
from orders.decorators import received_at
from orders.domain.errors import AlreadyFlat, BadTicket, KeyReused
from orders.forms.exits import ExitForm, first_values
from orders.models import PlacedOrderSet
from orders.selectors.controlling import find_placed_set
from orders.selectors.exit_offers import ExitOffer, offer_exit
from orders.services.exits.judging import SetNow, check_terms, draft_exit, read_set
from orders.services.exits.opening import Opened, open_exit
from orders.tasks.exiting import ring_exits
from orders.views.dialogs import ask, is_in_dialog, tell
from orders.views.sets import get_set

SENT = "Exit #{} of set #{} is on its way."
SENT_BEFORE = "Exit #{} of set #{} was begun before; this is the same one."


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def exit_set(request: DeskRequest, set_id: int) -> HttpResponse:
    """Show what an exit would do, at which price and in which accounts; a POST opens it."""
    placed_set = get_placed_set(set_id)
    if request.method != "POST":
        return _first(request, placed_set)
    form = ExitForm(request.POST)
    if form.is_valid():
        return open_with(request, placed_set, form)
    return _refused(request, placed_set, form)


@require_POST
@signed_in
@may_exit
def exit_terms(request: DeskRequest, set_id: int) -> HttpResponse:
    """Show anew what an exit of what is chosen would do; nothing is sent."""
    return draw_anew(request, get_placed_set(set_id), ExitForm(request.POST))


def open_with(
    request: DeskRequest, placed_set: PlacedOrderSet, form: ExitForm, key: UUID | None = None
) -> HttpResponse:
    """Open an exit and say so; or show what speaks against it, with all that was typed."""
    try:
        check_queue()
        opened = open_exit(
            placed_set=placed_set,
            terms=form.terms(),
            agent=request.user,
            idempotency_key=key or form.cleaned_data["intent"],
            clicked_at=received_at(request),
            now=timezone.now(),
        )
    except AlreadyFlat as error:
        to = reverse("set", args=[placed_set.pk])
        return tell(request, str(error), to=to, level=messages.INFO)
    except (BadTicket, KeyReused, QueueDown) as error:
        form.refuse(error)
        return _refused(request, placed_set, form)
    return _opened(request, placed_set, opened)


def _opened(request: DeskRequest, placed_set: PlacedOrderSet, opened: Opened) -> HttpResponse:
    ring_exits([opened.order.pk])
    words = SENT if opened.is_new else SENT_BEFORE
    said = words.format(opened.order.pk, placed_set.pk)
    return tell(request, said, to=reverse("set", args=[placed_set.pk]))


def get_placed_set(set_id: int) -> PlacedOrderSet:
    """Return a set itself. Errors: Http404."""
    found = find_placed_set(set_id)
    if found is None:
        raise Http404
    return found


def _first(request: DeskRequest, placed_set: PlacedOrderSet) -> HttpResponse:
    known = read_set(placed_set)
    offer = offer_exit(get_set(placed_set.pk), known.left)
    form = ExitForm(first_values(offer, request.GET.get("account")))
    return _drawn(request, form, known, offer)


def draw_anew(request: DeskRequest, placed_set: PlacedOrderSet, form: ExitForm) -> HttpResponse:
    """Show a form with what a click on it would meet now."""
    known = read_set(placed_set)
    return _drawn(request, form, known, offer_exit(get_set(placed_set.pk), known.left))


def _drawn(request: DeskRequest, form: ExitForm, known: SetNow, offer: ExitOffer) -> HttpResponse:
    """Show the form with what a click would meet now."""
    form.show(offer)
    if form.is_valid():
        terms = replace(form.terms(), confirm=frozenset())
        try:
            check_terms(known, terms)
            draft_exit(known, terms, timezone.now())
        except BadTicket as error:
            form.refuse(error)
    return _pane(request, form, _template(request, form))


def _template(request: DeskRequest, form: ExitForm) -> str:
    """Return what asks; who set so is not asked, but has some seconds to undo his click.

    It is the way of the EXIT button of an open page alone, and only where nothing is in the way.
    """
    is_first = request.method != "POST" and is_in_dialog(request) and "look" not in request.GET
    is_clear = form.is_valid() and not form.objections and not form.is_blocked
    is_soon = is_first and request.user.one_click_exit and is_clear
    return "orders/_exit_soon.html" if is_soon else "orders/_exit.html"


def _refused(request: DeskRequest, placed_set: PlacedOrderSet, form: ExitForm) -> HttpResponse:
    """Show the form with what the click has met."""
    form.show(offer_exit(get_set(placed_set.pk), read_set(placed_set).left))
    return _pane(request, form)


def _pane(
    request: DeskRequest, form: ExitForm, template: str = "orders/_exit.html"
) -> HttpResponse:
    row = form.offer.row
    shown = {
        "form": form,
        "offer": form.offer,
        "dialog_title": f"Exit set #{row.id}: {row.order.name} {row.order.underlying}",
        "back": reverse("set", args=[row.id]),
    }
    return ask(request, template, shown)
