"""Where a broadcast stands on the desks, and what a dialog about it is called."""

from django.urls import reverse

from orders.selectors.showing import Broadcast


def place_of(order: Broadcast) -> str:
    """Return the address of a broadcast in its list."""
    return f"{reverse('desk')}#broadcast-{order.id}"


def title_of(what: str, order: Broadcast) -> str:
    """Return the title of a dialog: `Cancel broadcast #40: Bull call SPX`."""
    return f"{what} broadcast #{order.id}: {order.name} {order.underlying}"
