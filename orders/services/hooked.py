"""Place a saved order for a hook: as a click of its agent that confirms nothing."""

from datetime import date, datetime

from accounts.models import HookDelivery, User
from accounts.services.hooks import DeliveryUsed, refuse_delivery
from orders.domain.errors import BadTicket
from orders.domain.saved import Unreadable, read_accounts, read_ticket
from orders.models import ComplexOrder, SavedOrder
from orders.selectors.choosing import AccountChoice
from orders.services.creating import Creation, create_order
from strategies.domain.tickets import Problem


def place_saved(
    delivery: HookDelivery, *, agent: User, clicked_at: datetime, now: datetime, today: date
) -> Creation:
    """Broadcast the saved order that a delivery names; the same delivery finds its broadcast.

    What the guards object to is refused for good: a program cannot confirm.

    Errors: BadTicket, DeliveryUsed, KeyReused; nothing is written then but that it was refused.
    """
    earlier = ComplexOrder.objects.filter(idempotency_key=delivery.pk).first()
    if earlier is not None:  # whatever the saved order is by now
        return Creation(earlier, is_new=False)
    if delivery.refused:
        words = f"This delivery was refused: {delivery.refused} Send a new one under a new id."
        raise DeliveryUsed(words)
    try:
        saved = _find(agent, delivery.saved_order)
        ids, group, leave_out = read_accounts(saved.ticket.get("accounts"))
        return create_order(
            agent=agent,
            ticket=read_ticket(saved.ticket),
            choice=AccountChoice(ids=ids, group=group, leave_out=leave_out),
            idempotency_key=delivery.pk,
            clicked_at=clicked_at,
            now=now,
            today=today,
        )
    except Unreadable as error:
        problem = Problem("saved_order", "unreadable", str(error))
        return _refuse(delivery, BadTicket([problem]), now)
    except BadTicket as error:
        return _refuse(delivery, error, now)


def _find(agent: User, name: str) -> SavedOrder:
    saved = SavedOrder.objects.filter(agent=agent, name=name).first()
    if saved is None:
        words = f"{agent.get_username()} has no saved order of this name."
        raise BadTicket([Problem("saved_order", "unknown_saved_order", words)])
    return saved


def _refuse(delivery: HookDelivery, error: BadTicket, now: datetime) -> Creation:
    refuse_delivery(delivery, str(error), now=now)
    raise error
