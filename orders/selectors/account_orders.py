"""What an account that is switched off leaves behind: orders that work, and what it holds."""

from collections.abc import Collection
from uuid import UUID

from accounts.models import Position
from orders.domain.lifecycle import Status
from orders.models import AccountOrder

UNDER_WAY = (Status.SUBMITTING, Status.UNKNOWN, Status.WORKING)


def left_in(account_ids: Collection[UUID]) -> str:
    """Say what stays at the broker in these accounts; empty if nothing does."""
    orders = AccountOrder.objects.filter(account__in=account_ids, status__in=UNDER_WAY).count()
    holders = Position.objects.filter(account__in=account_ids).values("account").distinct().count()
    said = []
    if orders:
        said.append(f"{orders} order{'' if orders == 1 else 's'} there still work{_s(orders)}.")
    if holders:
        said.append("What is held there stays, and no EXIT closes it until it is switched on.")
    return " ".join(said)


def _s(number: int) -> str:
    return "s" if number == 1 else ""
