"""Send one share's order far from the market through the whole installation, and cancel it."""

import time
from collections.abc import Collection
from contextlib import suppress
from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from accounts.models import Account, User
from accounts.selectors import our_accounts
from accounts.tasks.queue import QueueDown, check_queue
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.guards import OVERRIDABLE
from orders.domain.lifecycle import TERMINAL, Status
from orders.models import AccountOrder
from orders.selectors.choosing import AccountChoice
from orders.selectors.preflight import Check
from orders.services.canceling import ask_cancel_of_order
from orders.services.creating import create_order
from orders.tasks import ring_for
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
    account = our_accounts().filter(is_active=True).first()
    if account is None:
        return Check(NAME, is_go=False, words="there is no active account")
    began = time.monotonic()
    try:
        order_id = _send(agent, account)
        reached = _wait(order_id, {Status.WORKING})
        ended = reached if reached in TERMINAL else take_back(order_id, agent)
    except (BadTicket, QueueDown) as error:
        return Check(NAME, is_go=False, words=f"was refused: {error}")
    is_go = (reached, ended) == (Status.WORKING, Status.CANCELED)
    steps = ended if is_go or reached == ended else f"{reached}, then {ended}"
    words = f"{steps.lower()} in {account.alias}, {time.monotonic() - began:.1f} s"
    return Check(NAME, is_go, words)


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
    ring_for(creation.ready)
    return int(creation.order.pk)


def take_back(order_id: int, agent: User) -> Status:
    """Cancel the order wherever it is: no test of ours stays behind. Return its status."""
    with suppress(CannotControl):  # it has ended by itself meanwhile
        ring_asked(ask_cancel_of_order(order_id, by=agent.get_username(), now=timezone.now()))
    return _wait(order_id)


def _wait(order_id: int, wanted: Collection[Status] = ()) -> Status:
    """Return the order's status once it is a wanted one or its end, or after WITHIN_S."""
    until = time.monotonic() + WITHIN_S
    while True:
        close_old_connections()
        found = Status(AccountOrder.objects.filter(order=order_id).latest("attempt").status)
        if found in wanted or found in TERMINAL or time.monotonic() > until:
            return found
        time.sleep(0.1)
