"""Give orders whose token was refused their second chance, after one renewal per login."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.words import LoginStatus
from accounts.models import BrokerLogin
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
        The orders to ring for: those that still wait, or none without a fresh token.
    """
    is_fresh = refresh_login(login_id, now=now, seen_version=seen_version)
    waiting = AccountOrder.objects.filter(
        pk__in=ids, status=Status.READY, reason_code=Reason.TOKEN_REFUSED
    )
    if is_fresh:
        waiting.update(not_before=None)
        return list(waiting.values_list("pk", flat=True))
    values = {"reason_code": Reason.REFUSED, "reason": _why(login_id)}
    with transaction.atomic():
        steps = [
            Step(pk, Status.FAILED_TO_PLACE, values) for pk in waiting.values_list("pk", flat=True)
        ]
        moved = take_steps(steps, out_of=[Status.READY], now=now, actor="logins")
        orders = AccountOrder.objects.filter(pk__in=moved).values_list("order_id", flat=True)
        refresh_parents(set(orders))
    return []


def _why(login_id: UUID) -> str:
    words = "The access token was refused and could not be renewed."
    login = BrokerLogin.objects.filter(pk=login_id, status=LoginStatus.LOGIN_REQUIRED)
    return f"{words} Connect the login again." if login.exists() else f"{words} Try again."
