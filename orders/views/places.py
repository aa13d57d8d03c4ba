"""Where a broadcast stands on the desks, and what a dialog about it is called."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from orders.selectors.showing import Broadcast, strategy_of
from strategies.domain.tickets import Strategy


@require_safe
@signed_in
def place(request: DeskRequest, order_id: int) -> HttpResponse:
    """Lead to a broadcast in the list of its desk."""
    strategy = strategy_of(order_id)
    if strategy is None:
        raise Http404
    return redirect(_address(order_id, strategy))


def place_of(order: Broadcast) -> str:
    """Return the address of a broadcast in the list of its desk."""
    return _address(order.id, order.strategy)


def title_of(what: str, order: Broadcast) -> str:
    """Return the title of a dialog: `Cancel broadcast #40: Bull call SPX`."""
    return f"{what} broadcast #{order.id}: {order.name} {order.underlying}"


def _address(order_id: int, strategy: str) -> str:
    desk = "stocks" if strategy == Strategy.EQUITY else "desk"
    return f"{reverse(desk)}#broadcast-{order_id}"
