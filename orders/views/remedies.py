"""The remedies for what an exit left over: again, at another price, or dealt with by hand."""

from decimal import Decimal
from uuid import UUID, uuid5

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import DeskRequest, may_exit, signed_in
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.exits import ExitTerms, Pricing
from orders.forms.exits import ExitForm, values_of
from orders.selectors.controlling import Leftover, find_leftover
from orders.services.exits.remedies import mark_handled
from orders.views.dialogs import ask, tell
from orders.views.exits import draw_anew, get_placed_set, open_with
from orders.views.sets import get_set

# Of two clicks on one remedy, the second finds what the first one began.
REMEDIES = UUID("0d5ae5c2-1c1e-4f4b-9a55-4f0a4f1c0b7e")
SETTLED = "What was left there is settled, or tried again already. Nothing was changed."


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
        return draw_anew(request, get_placed_set(set_id), form)
    return _again(request, left, Pricing.LIMIT, limit)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def handled(request: DeskRequest, set_id: int, step_id: int) -> HttpResponse:
    """Ask how what is left in one account was dealt with; a POST takes it off the board."""
    left = _leftover(set_id, step_id)
    back = reverse("set", args=[set_id])
    if request.method == "POST":
        why = request.POST.get("why", "")
        try:
            mark_handled(step_id, why=why, agent=request.user, now=timezone.now())
        except (BadTicket, CannotControl) as error:
            return _ask_how(request, left, back, str(error))
        return tell(request, f"{left.alias} is marked as handled.", to=back)
    return _ask_how(request, left, back)


def _ask_how(request: DeskRequest, left: Leftover, back: str, problem: str = "") -> HttpResponse:
    shown = {
        "left": left,
        "problem": problem,
        "why": request.POST.get("why", ""),
        "dialog_title": f"{left.alias}: mark as handled",
        "back": back,
    }
    return ask(request, "orders/_handled.html", shown)


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
    return open_with(request, get_placed_set(left.set_id), form, key=key)


def _terms(left: Leftover, pricing: Pricing, limit: Decimal | None) -> ExitTerms:
    return ExitTerms(pricing, limit, left.percent, (left.account_id,))


def _leftover(set_id: int, step_id: int) -> Leftover:
    found = find_leftover(get_set(set_id), step_id)
    if found is None:
        raise Http404
    return found
