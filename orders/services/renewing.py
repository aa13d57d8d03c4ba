"""Give orders whose token was refused their second chance, after one renewal per login."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.services.tokens import refresh_login
from orders.domain.lifecycle import Reason, Status
from orders.models import AccountOrder
from orders.services.parents import refresh_parents
from orders.services.steps import Step, take_steps


def renew_for_orders(
    *, login_id: UUID, seen_version: int, ids: Sequence[UUID], now: datetime
) -> list[UUID]:
    """Renew a login's refused token and make the waiting orders due, or fail them.

    Args:
        seen_version: the token that was refused; if there is a newer one already, that one serves.

    Returns:
        The orders to ring for: all of them, or none when the login must be connected again.
    """
    waiting = AccountOrder.objects.filter(
        pk__in=ids, status=Status.READY, reason_code=Reason.TOKEN_REFUSED
    )
    if refresh_login(login_id, now=now, seen_version=seen_version):
        waiting.update(not_before=None)
        return list(ids)
    words = "The access token was refused and could not be renewed. Connect the login again."
    values = {"reason_code": Reason.REFUSED, "reason": words}
    order_ids = set(waiting.values_list("order_id", flat=True))
    steps = [Step(pk, Status.FAILED_TO_PLACE, values) for pk in ids]
    take_steps(steps, out_of=[Status.READY], now=now, actor="logins")
    refresh_parents(order_ids)
    return []
