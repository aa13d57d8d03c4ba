"""Celery tasks of exits: carry on those that are due, and send what they came to."""

from collections.abc import Sequence

from celery import shared_task

from accounts.services.positions import keep_positions
from accounts.tasks.queue import enqueue
from brokerage.transport import process_gateway
from orders.services.exits.advancing import advance_exits as advance
from orders.services.exits.beginnings import keep_beginnings
from orders.services.exits.in_hand import Hands
from orders.tasks.placing import place_now, ring_for
from orders.tasks.reading import renew

_hands = Hands()


def ring_exits(order_ids: Sequence[int]) -> None:
    """Ring for exits that were opened, when the transaction commits."""
    enqueue(advance_exits, order_ids=list(order_ids))


@shared_task(name="orders.advance_exits")
def advance_exits(*, order_ids: list[int] | None = None) -> None:
    """Carry exits on; a second delivery finds them where the first one left them."""
    advanced = advance(gateway=process_gateway(), order_ids=order_ids, hands=_hands)
    renew(advanced.refused_tokens)
    exits = list(advanced.ready.values())
    for ready in exits[1:]:
        ring_for(ready)
    for ready in exits[:1]:
        place_now(ready)
    if advanced.read_at is not None:
        keep_positions(advanced.readings, read_at=advanced.read_at)
        keep_beginnings(advanced.beginnings, advanced.linked)
