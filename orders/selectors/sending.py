"""Find the account orders of a broadcast that wait to be sent."""

from collections.abc import Iterator
from uuid import UUID

from orders.domain.lifecycle import Status
from orders.models import AccountOrder


def ready_chunks(order_id: int, *, size: int) -> Iterator[list[UUID]]:
    """Yield the READY account orders of a broadcast in grid order, `size` at a time."""
    ids = list(
        AccountOrder.objects.filter(order_id=order_id, status=Status.READY)
        .order_by("account__position")
        .values_list("pk", flat=True)
    )
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
