"""The page on which the agent lets the limit of an order move step by step, or stops that."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import DeskRequest, may_exit, signed_in
from accounts.tasks.queue import QueueDown, check_queue
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.lifecycle import Purpose
from orders.forms.ladders import LadderForm
from orders.selectors.showing import Broadcast, find_broadcast
from orders.services.ladders import start_ladder, stop_ladder
from orders.views.dialogs import ask, tell
from orders.views.places import place_of, title_of


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_exit
def ladder(request: DeskRequest, order_id: int) -> HttpResponse:
    """Show the price ladder of an order and the form for one; a POST starts it."""
    order = _get(order_id)
    may_start = request.user.may_trade or order.purpose == Purpose.CLOSE
    is_start = request.method == "POST"
    if is_start and not may_start:
        raise PermissionDenied
    form = LadderForm(request.POST if is_start else None, order=order)
    if is_start and form.is_valid() and _start(request, order, form):
        words = f"The price ladder of broadcast #{order_id} runs."
        return tell(request, words, to=place_of(order))
    shown = {
        "order": order,
        "form": form,
        "may_start": may_start,
        "dialog_title": title_of("Price ladder of", order),
        "back": place_of(order),
    }
    return ask(request, "orders/_ladder_dialog.html", shown)


@require_POST
@signed_in
@may_exit
def stop(request: DeskRequest, order_id: int) -> HttpResponse:
    """Let the limit of an order stay where it is."""
    order = _get(order_id)
    back = reverse("ladder", args=[order.id])
    try:
        stop_ladder(order_id=order.id, by=request.user.get_username(), now=timezone.now())
    except CannotControl as error:
        return tell(request, str(error), to=back, level=messages.ERROR)
    return tell(request, f"The price ladder of broadcast #{order.id} is stopped.", to=back)


def _start(request: DeskRequest, order: Broadcast, form: LadderForm) -> bool:
    """Start what a valid form says; tell whether it runs, else the form says why not."""
    try:
        check_queue()
        start_ladder(
            order_id=order.id,
            agent=request.user,
            now=timezone.now(),
            confirm=form.confirmed(),
            **form.ladder(),
        )
    except (BadTicket, CannotControl, QueueDown) as error:
        form.refuse(error)
        return False
    return True


def _get(order_id: int) -> Broadcast:
    order = find_broadcast(order_id)
    if order is None:
        raise Http404
    return order
