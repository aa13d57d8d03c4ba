"""The exit steps of placed order sets, with the closing orders they belong to."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from orders.domain.bookmarks import Quantities
from orders.models import ExitStep


class StepRow(NamedTuple):
    """One exit step; quantities are signed as the position that they are."""

    set_id: int
    account_id: UUID
    id: int
    state: str
    why: str
    plan: Mapping[str, int]
    residual: Mapping[str, int]
    read_at: datetime | None
    flat_at: datetime | None
    closed_at: datetime | None
    order_id: int | None
    order_status: str | None
    broadcast_ms: float | None
    child_id: UUID | None

    @property
    def to_close(self) -> Mapping[str, int]:
        """What it still has to close: before the broker was read for it, its whole plan."""
        if self.closed_at is not None:
            return {}
        return self.residual if self.read_at is not None else self.plan


Steps = Mapping[tuple[int, UUID], Sequence[StepRow]]


def steps_of(set_ids: Collection[int]) -> Steps:
    """Return all steps of these sets by set and account, oldest first."""
    return by_account(read_steps(set_ids=set_ids))


def by_account(rows: Iterable[StepRow]) -> Steps:
    """Return steps by set and account."""
    steps: dict[tuple[int, UUID], list[StepRow]] = defaultdict(list)
    for step in rows:
        steps[step.set_id, step.account_id].append(step)
    return steps


def read_steps(*, set_ids: Collection[int], order_ids: Collection[int] = ()) -> list[StepRow]:
    """Return all steps of these sets, and those of these closing orders, oldest first."""
    is_wanted = Q(placed_order_set__in=set_ids)
    if order_ids:
        is_wanted |= Q(order__in=order_ids)
    rows = ExitStep.objects.filter(is_wanted).order_by("pk")
    found = rows.values_list(
        "placed_order_set_id",
        "account_id",
        "pk",
        "state",
        "why",
        "plan",
        "residual",
        "read_at",
        "flat_at",
        "closed_at",
        "order_id",
        "order__status",
        "order__broadcast_ms",
        "child_id",
    )
    return [StepRow(*row) for row in found]


def gone_otherwise(steps: Iterable[StepRow]) -> Quantities:
    """Return what exits found gone that they did not close: the residual of flat steps."""
    gone: dict[str, Decimal] = defaultdict(Decimal)
    for step in steps:
        if step.flat_at is not None:
            for symbol, quantity in step.residual.items():
                gone[symbol] += quantity
    return gone
