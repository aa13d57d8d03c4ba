"""Look up what account orders are about, for those who ring for them."""

from collections.abc import Collection

from orders.models import AccountOrder


def strategies_of(ids: Collection[str]) -> set[str]:
    """Return the strategies that these account orders belong to."""
    rows = AccountOrder.objects.filter(pk__in=ids).order_by()
    return set(rows.values_list("order__strategy", flat=True).distinct())
