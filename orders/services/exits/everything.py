"""Close everything: cancel all that works, and open the way out of every set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from django.conf import settings

from accounts.models import User
from accounts.services.audit import event, record
from orders.domain.errors import AlreadyFlat, BadTicket
from orders.domain.exits import ExitTerms, Pricing
from orders.domain.guards import Guard
from orders.domain.lifecycle import LIVE, Purpose, any_of
from orders.models import AccountOrder, ComplexOrder, PlacedOrderSet
from orders.services.canceling import Asked, ask_cancel
from orders.services.exits.judging import read_set
from orders.services.exits.opening import open_exit

PHRASE = "CLOSE EVERYTHING"


@dataclass(slots=True)
class Everything:
    """What closing everything began.

    Args:
        asked: the account orders that are canceled.
        exits: the closing orders, one for each set that was not flat.
        refused: why no exit of a set was opened, by the set's number.
    """

    asked: Asked
    exits: list[ComplexOrder] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def close_everything(
    *, pricing: Pricing, agent: User, key: UUID, clicked_at: datetime, now: datetime
) -> Everything:
    """Cancel every order that opens, and exit every set in all its accounts.

    Asked again with the same key it finds what it began. A set that cannot be exited costs no
    other one its exit.

    Args:
        pricing: MID or NATURAL; MARKET also for orders with several legs.
    """
    actor = agent.get_username()
    asked_for = event("fleet", "close everything", at=now, actor=actor, data={"pricing": pricing})
    record([asked_for], is_quiet=True)
    live = AccountOrder.objects.filter(
        purpose=Purpose.OPEN,
        status__in=any_of(LIVE),
        account__login__environment=settings.ENVIRONMENT,
    )
    asked = ask_cancel(children=list(live.values_list("pk", flat=True)), by=actor, now=now)
    everything = Everything(asked)
    confirm = frozenset({Guard.NO_MARKET_MULTILEG.value} if pricing == Pricing.MARKET else ())
    for placed_set in open_sets():
        terms = ExitTerms(pricing, confirm=confirm)
        try:
            opened = open_exit(
                placed_set=placed_set,
                terms=terms,
                agent=agent,
                idempotency_key=uuid5(key, str(placed_set.pk)),
                clicked_at=clicked_at,
                now=now,
            )
        except AlreadyFlat:
            continue
        except BadTicket as error:
            everything.refused[placed_set.pk] = str(error)
            continue
        everything.exits.append(opened.order)
    return everything


def open_sets() -> Sequence[PlacedOrderSet]:
    """Return the sets of which something may be left, oldest first."""
    sets = PlacedOrderSet.objects.filter(flat_at__isnull=True).select_related("order")
    return [one for one in sets.order_by("pk") if read_set(one).left]
