"""What waits for its time, or for an order to end: exits that can be carried on."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from orders.domain.exits import AT_WORK, ExitState
from orders.domain.lifecycle import TERMINAL, any_of
from orders.models import ExitStep


def due_steps(*, now: datetime, order_ids: Collection[int] | None = None) -> QuerySet[ExitStep]:
    """Return the steps that can be carried on: those due, and those whose order has ended.

    Args:
        order_ids: exits to look at whether or not they are due; None for all that are due.
    """
    at_work = ExitStep.objects.filter(
        closed_at__isnull=True,
        state__in=any_of(AT_WORK),
        account__login__environment=settings.ENVIRONMENT,
    )
    has_ended = Q(state=ExitState.CLOSING, child__status__in=any_of(TERMINAL))
    if order_ids is not None:
        is_due = Q(order__in=order_ids) & ~Q(state=ExitState.CLOSING)
    else:
        is_due = Q(due_at__lte=now) & ~Q(state=ExitState.CLOSING)
    return at_work.filter(has_ended | is_due)


def has_due_exits() -> bool:
    """Whether an exit can be carried on now."""
    return due_steps(now=timezone.now()).exists()
