"""Say in plain Python which account orders a claim takes; `orders/services/claiming.py` is SQL."""

from datetime import datetime

from orders.domain.lifecycle import Status


def may_claim(
    *,
    status: Status,
    deadline_at: datetime,
    not_before: datetime | None,
    is_active: bool,
    is_blocked: bool,
    has_unresolved_twin: bool,
    now: datetime,
) -> bool:
    """Whether a claim at this moment takes an account order.

    Args:
        is_active: its account is.
        is_blocked: a mode of trading forbids it.
        has_unresolved_twin: the same order in the same account is SUBMITTING or UNKNOWN.
    """
    is_due = now < deadline_at and (not_before is None or not_before <= now)
    is_free = is_active and not is_blocked and not has_unresolved_twin
    return status == Status.READY and is_due and is_free
