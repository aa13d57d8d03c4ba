"""Pages that close a set: the confirmation of an exit, and the remedies for what one left over."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid5

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import DeskRequest, may_exit, signed_in
from accounts.tasks.queue import QueueDown, check_queue
from orders.decorators import received_at
from orders.domain.errors import AlreadyFlat, BadTicket, CannotControl, KeyReused
from orders.domain.exits import ExitTerms, Pricing
from orders.forms.exits import ExitForm, first_values, values_of
from orders.models import PlacedOrderSet
from orders.selectors.controlling import Leftover, find_leftover, find_placed_set
from orders.selectors.exit_offers import ExitOffer, offer_exit
from orders.services.exits.judging import SetNow, check_terms, draft_exit, read_set
from orders.services.exits.opening import Opened, open_exit
from orders.services.exits.remedies import mark_handled
from orders.tasks.exiting import ring_exits
from orders.views.frame import frame
from orders.views.sets import get_set

# Of two clicks on one remedy, the second finds what the first one began.
REMEDIES = UUID("0d5ae5c2-1c1e-4f4b-9a55-4f0a4f1c0b7e")
SENT = "Exit #{} of set #{} is on its way."
SENT_BEFORE = "Exit #{} of set #{} was begun before; this is the same one."
SETTLED = "What was left there is settled, or tried again already. Nothing was changed."


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def exit_set(request: DeskRequest, set_id: int) -> HttpResponse:
    """Show what an exit would do, at which price and in which accounts; a POST opens it."""
    placed_set = _get(set_id)
    if request.method != "POST":
        return _first(request, placed_set)
    form = ExitForm(request.POST)
    if form.is_valid():
        return _open(request, placed_set, form)
    return _refused(request, placed_set, form)


@require_POST
@signed_in
@may_exit
def exit_terms(request: DeskRequest, set_id: int) -> HttpResponse:
    """Show anew what an exit of what is chosen would do; nothing is sent."""
    return _anew(request, _get(set_id), ExitForm(request.POST))


@require_POST
@signed_in
@may_exit
def retry(request: DeskRequest, set_id: int, step_id: int) -> HttpResponse:
    """Close what is left in one account once more, priced in the same way."""
    left = _leftover(set_id, step_id)
    return _again(request, left, left.pricing, left.limit)


@require_POST
@signed_in
@may_exit
def chase(request: DeskRequest, set_id: int, step_id: int) -> HttpResponse:
    """Close what is left in one account at another limit; what is not whole, at the natural."""
    left = _leftover(set_id, step_id)
    if not left.is_whole:
        return _again(request, left, Pricing.NATURAL, None)
    typed = values_of(_terms(left, Pricing.LIMIT, left.limit))
    typed["limit"] = request.POST.get("limit", "")
    form = ExitForm(typed)
    limit = form.terms().limit if form.is_valid() else None
    if limit is None:
        return _anew(request, _get(set_id), form)
    return _again(request, left, Pricing.LIMIT, limit)


@require_POST
@signed_in
@may_exit
def handled(request: DeskRequest, set_id: int, step_id: int) -> HttpResponse:
    """Take what is left in one account off the board, with the agent's reason."""
    left = _leftover(set_id, step_id)
    why = request.POST.get("why", "")
    try:
        mark_handled(step_id, why=why, agent=request.user, now=timezone.now())
    except (BadTicket, CannotControl) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{left.alias} is marked as handled.")
    return redirect("set", set_id)


def _again(
    request: DeskRequest, left: Leftover, pricing: Pricing, limit: Decimal | None
) -> HttpResponse:
    if not left.is_open:
        messages.info(request, SETTLED)
        return redirect("set", left.set_id)
    terms = _terms(left, pricing, limit)
    form = ExitForm(values_of(terms))
    form.is_valid()
    key = uuid5(REMEDIES, f"{left.step_id} {pricing} {limit}")
    return _open(request, _get(left.set_id), form, key=key)


def _terms(left: Leftover, pricing: Pricing, limit: Decimal | None) -> ExitTerms:
    return ExitTerms(pricing, limit, left.percent, (left.account_id,))


def _open(
    request: DeskRequest, placed_set: PlacedOrderSet, form: ExitForm, key: UUID | None = None
) -> HttpResponse:
    """Open an exit and lead to its set; or show what speaks against it, with all that was typed."""
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
        messages.info(request, str(error))
        return redirect("set", placed_set.pk)
    except (BadTicket, KeyReused, QueueDown) as error:
        form.refuse(error)
        return _refused(request, placed_set, form)
    return _opened(request, placed_set, opened)


def _opened(request: DeskRequest, placed_set: PlacedOrderSet, opened: Opened) -> HttpResponse:
    ring_exits([opened.order.pk])
    words = SENT if opened.is_new else SENT_BEFORE
    messages.success(request, words.format(opened.order.pk, placed_set.pk))
    return redirect("set", placed_set.pk)


def _get(set_id: int) -> PlacedOrderSet:
    found = find_placed_set(set_id)
    if found is None:
        raise Http404
    return found


def _leftover(set_id: int, step_id: int) -> Leftover:
    found = find_leftover(get_set(set_id), step_id)
    if found is None:
        raise Http404
    return found


def _first(request: DeskRequest, placed_set: PlacedOrderSet) -> HttpResponse:
    known = read_set(placed_set)
    offer = offer_exit(get_set(placed_set.pk), known.left)
    form = ExitForm(first_values(offer, request.GET.get("account")))
    return _drawn(request, form, known, offer)


def _anew(request: DeskRequest, placed_set: PlacedOrderSet, form: ExitForm) -> HttpResponse:
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
    return _pane(request, form)


def _refused(request: DeskRequest, placed_set: PlacedOrderSet, form: ExitForm) -> HttpResponse:
    """Show the form with what the click has met."""
    form.show(offer_exit(get_set(placed_set.pk), read_set(placed_set).left))
    return _pane(request, form)


def _pane(request: DeskRequest, form: ExitForm) -> HttpResponse:
    shown = {"form": form, "offer": form.offer}
    if request.htmx:
        return render(request, "orders/_exit.html", shown)
    return render(request, "orders/exit.html", {**frame(request), **shown})
