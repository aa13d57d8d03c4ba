"""Send one share's order far from the market through the whole installation, and cancel it."""

import time
from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from accounts.models import Account, User
from accounts.tasks.queue import QueueDown, check_queue
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.guards import OVERRIDABLE
from orders.models import AccountOrder
from orders.selectors.choosing import AccountChoice
from orders.selectors.preflight import Check
from orders.services.canceling import ask_cancel_of_order
from orders.services.creating import create_order
from orders.tasks import ring_for_new
from orders.tasks.controlling import ring_asked
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Instruction, Leg, OrderType, Strategy, Ticket

NAME = "Round trip"
SHARE, FAR_BELOW = "F", Decimal("1.00")
WITHIN_S = 15.0


def round_trip(agent: User) -> Check:
    """Return whether an order came to work at the paper broker and was canceled again."""
    if settings.ENVIRONMENT != "PAPER":
        return Check(NAME, is_go=True, words="not made: this is no paper installation")
    rows = Account.objects.filter(is_active=True, login__environment=settings.ENVIRONMENT)
    account = rows.order_by("position").first()
    if account is None:
        return Check(NAME, is_go=False, words="there is no active account")
    began = time.monotonic()
    try:
        order_id = _send(agent, account)
        worked = _wait(order_id, "WORKING")
        if worked == "WORKING":
            asked = ask_cancel_of_order(order_id, by=agent.get_username(), now=timezone.now())
            ring_asked(asked)
            worked = _wait(order_id, "CANCELED")
    except (BadTicket, QueueDown, CannotControl) as error:
        return Check(NAME, is_go=False, words=f"was refused: {error}")
    words = f"{worked.lower()} in {account.alias}, {time.monotonic() - began:.1f} s"
    return Check(NAME, worked == "CANCELED", words)


def _send(agent: User, account: Account) -> int:
    now = timezone.now()
    check_queue()
    leg = Leg(SHARE, Instruction.BUY)
    creation = create_order(
        agent=agent,
        ticket=Ticket(Strategy.EQUITY, (leg,), OrderType.LIMIT, 1, limit=FAR_BELOW),
        choice=AccountChoice(ids=(account.pk,)),
        confirm=OVERRIDABLE,
        idempotency_key=uuid4(),
        clicked_at=now,
        now=now,
        today=exchange_date(now),
    )
    ring_for_new(creation)
    return int(creation.order.pk)


def _wait(order_id: int, status: str) -> str:
    """Return the status once it is this one, or an other one that ends it, or is too late."""
    until = time.monotonic() + WITHIN_S
    while True:
        close_old_connections()
        found = AccountOrder.objects.filter(order=order_id).latest("attempt").status
        if found == status or time.monotonic() > until:
            return str(found)
        time.sleep(0.1)
