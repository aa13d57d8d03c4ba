"""Pages that change what is out there: cancel, replace, retry what failed, close everything."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.decorators import DeskRequest, may_exit, signed_in
from accounts.tasks.queue import QueueDown, check_queue
from orders.decorators import received_at
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.exits import Pricing
from orders.domain.lifecycle import Purpose
from orders.forms.controls import EverythingForm, ReplaceForm, TargetsForm
from orders.selectors.showing import Broadcast, find_broadcast
from orders.selectors.targets import (
    everything_there,
    failed_targets,
    tick_of,
    working_targets,
)
from orders.services.canceling import Asked, ask_cancel_of_order, at_work
from orders.services.exits.everything import Everything, close_everything
from orders.services.replacing import ask_replace
from orders.services.retrying import retry_failed
from orders.tasks.controlling import ring_asked
from orders.tasks.exiting import ring_exits
from orders.tasks.placing import ring_for
from orders.views.dialogs import ask, tell
from orders.views.places import place_of, title_of

MOST_REFUSALS = 5


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def cancel(request: DeskRequest, order_id: int) -> HttpResponse:
    """Show in which accounts an order works; a POST asks for its end in all or some of them."""
    order = _get(order_id)
    form = TargetsForm(request.POST or None, targets=working_targets(at_work(order_id, None)))

    def do() -> str:
        accounts = form.chosen()
        by = request.user.get_username()
        asked = ask_cancel_of_order(order_id, accounts, by=by, now=timezone.now())
        ring_asked(asked)
        return _asked_words(f"Canceling broadcast #{order_id}", asked)

    return _act(request, order, form, "cancel", do)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def replace(request: DeskRequest, order_id: int) -> HttpResponse:
    """Show the limit an order works at; a POST asks that it goes on at another one."""
    order = _get(order_id)
    _check_may_send(request, order)
    form = ReplaceForm(request.POST or None, targets=working_targets(at_work(order_id, None)))

    def do() -> str:
        asked = ask_replace(
            order_id=order_id,
            limit=form.cleaned_data["limit"],
            accounts=form.chosen(),
            confirm=form.confirmed(),
            by=request.user.get_username(),
            now=timezone.now(),
        )
        ring_asked(asked)
        return _asked_words(f"Replacing broadcast #{order_id}", asked)

    return _act(request, order, form, "replace", do)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def retry(request: DeskRequest, order_id: int) -> HttpResponse:
    """Show where an order was not placed or was rejected; a POST sends it there once more."""
    order = _get(order_id)
    _check_may_send(request, order)
    form = TargetsForm(request.POST or None, targets=failed_targets(order))

    def do() -> str:
        ready = retry_failed(
            order_id=order_id,
            accounts=form.chosen(),
            confirm=form.confirmed(),
            agent=request.user,
            now=timezone.now(),
        )
        ring_for(ready)
        return f"Broadcast #{order_id} is on its way again to {_accounts(len(ready))}."

    return _act(request, order, form, "retry", do)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def everything(request: DeskRequest) -> HttpResponse:
    """Show what closing everything would do; a POST with the phrase does it."""
    form = EverythingForm(request.POST or None, auto_id="everything-%s")
    if request.method == "POST" and form.is_valid():
        try:
            begun = _close_everything(request, form)
        except QueueDown as error:
            form.add_error(None, str(error))
        else:
            return _tell(request, begun)
    shown = {
        "form": form,
        "there": everything_there(),
        "dialog_title": "Close everything",
        "back": reverse("sets"),
    }
    return ask(request, "orders/_everything.html", shown)


def _act(
    request: DeskRequest,
    order: Broadcast,
    form: TargetsForm,
    name: str,
    do: Callable[[], str],
) -> HttpResponse:
    """Ask what a valid form says and lead back to the desk; else show it, nothing typed is lost."""
    if request.method == "POST" and form.is_valid():
        try:
            check_queue()
            words = do()
        except (BadTicket, CannotControl, QueueDown) as error:
            form.refuse(error)
        else:
            return tell(request, words, to=place_of(order))
    shown: dict[str, Any] = {
        "form": form,
        "order": order,
        "tick": tick_of(order),
        "dialog_title": title_of(name.capitalize(), order),
        "back": place_of(order),
    }
    return ask(request, f"orders/_{name}.html", shown)


def _close_everything(request: DeskRequest, form: EverythingForm) -> Everything:
    check_queue()
    begun = close_everything(
        pricing=Pricing(form.cleaned_data["pricing"]),
        agent=request.user,
        key=form.cleaned_data["intent"],
        clicked_at=received_at(request),
        now=timezone.now(),
    )
    ring_asked(begun.asked)
    ring_exits([order.pk for order in begun.exits])
    return begun


def _tell(request: DeskRequest, begun: Everything) -> HttpResponse:
    stopped = len(begun.asked.asked) + len(begun.asked.unsent)
    words = f"Closing everything: {stopped} orders canceled, {len(begun.exits)} sets exited."
    for number, why in list(begun.refused.items())[:MOST_REFUSALS]:
        messages.error(request, f"Set #{number} is not exited: {why}")
    if (more := len(begun.refused) - MOST_REFUSALS) > 0:
        messages.error(request, f"{more} more sets are not exited: see the list.")
    return tell(request, words, to=reverse("sets"))


def _asked_words(what: str, asked: Asked) -> str:
    """Say what a wish to cancel or replace began."""
    said = [f"{what} in {_accounts(len(asked.asked) + len(asked.unsent))}."]
    said += [f"{alias} is left out: {why}" for alias, why in asked.left_out.items()]
    return " ".join(said)


def _accounts(number: int) -> str:
    return f"{number} account{'' if number == 1 else 's'}"


def _check_may_send(request: DeskRequest, order: Broadcast) -> None:
    """Refuse who may only close, unless the order closes."""
    if not request.user.may_trade and order.purpose != Purpose.CLOSE:
        raise PermissionDenied


def _get(order_id: int) -> Broadcast:
    order = find_broadcast(order_id)
    if order is None:
        raise Http404
    return order
