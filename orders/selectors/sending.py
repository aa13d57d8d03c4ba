"""Find the account orders of a broadcast that wait to be sent."""

from collections.abc import Collection
from uuid import UUID

from orders.domain.lifecycle import Status
from orders.models import AccountOrder


def ready_children(order_id: int) -> list[UUID]:
    """Return the READY account orders of a broadcast in grid order."""
    return list(
        AccountOrder.objects.filter(order_id=order_id, status=Status.READY)
        .order_by("account__position")
        .values_list("pk", flat=True)
    )


def strategies_of(ids: Collection[str]) -> set[str]:
    """Return the strategies that these account orders belong to."""
    rows = AccountOrder.objects.filter(pk__in=ids).order_by()
    return set(rows.values_list("order__strategy", flat=True).distinct())
