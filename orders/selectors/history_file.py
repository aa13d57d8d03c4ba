"""Account orders as lines of a file, by broadcast."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from orders.models import AccountOrder


class AccountLine(NamedTuple):
    """One account order, an attempt of its own; the price in USD per unit."""

    alias: str
    last4: str
    attempt: int
    status: str
    reason: str
    contracts: int
    filled: Decimal
    net_price: Decimal | None
    broker_order_id: str | None
    sent_at: datetime | None
    answered_at: datetime | None


def account_lines(order_ids: Collection[int]) -> Mapping[int, Sequence[AccountLine]]:
    """Return the account orders of these broadcasts in grid order, in one query."""
    lines: dict[int, list[AccountLine]] = defaultdict(list)
    rows = AccountOrder.objects.filter(order__in=order_ids)
    for row in rows.order_by("account__position", "attempt").values_list(
        "order_id",
        "account__alias",
        "account__last4",
        "attempt",
        "status",
        "reason",
        "contracts",
        "filled",
        "net_price",
        "broker_order_id",
        "sent_at",
        "answered_at",
    ):
        lines[row[0]].append(AccountLine(*row[1:]))
    return lines
