"""Look up what account orders are about, for those who ring for them."""

from collections.abc import Collection
from uuid import UUID

from orders.models import AccountOrder


def strategies_of(ids: Collection[UUID]) -> set[str]:
    """Return the strategies that these account orders belong to."""
    rows = AccountOrder.objects.filter(pk__in=ids).order_by()
    return set(rows.values_list("order__strategy", flat=True).distinct())
