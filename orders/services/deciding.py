"""Let the agent decide what the machine may not: which order at the broker is ours, if any."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from orders.domain.lifecycle import Reason, Status
from orders.models import AccountOrder, ExternalOrder
from orders.services.parents import refresh_parents
from orders.services.steps import Step, take_steps

OURS = "{} said that order {} at the broker is this one."
NONE = "{} said that no order at the broker is this one: it counts as not placed."


class CannotDecide(Exception):
    """The decision does not fit what is known now; its text says why. Nothing was written."""


def adopt_candidate(child_id: UUID, broker_order_id: str, *, agent: User, now: datetime) -> None:
    """Take an order at the broker as an UNKNOWN account order's own.

    Errors: CannotDecide.
    """
    try:
        with transaction.atomic():
            child = _unknown(child_id)
            candidate = ExternalOrder.objects.filter(
                account=child.account_id, broker_order_id=broker_order_id
            )
            if broker_order_id not in child.candidates or not candidate.delete()[0]:
                raise CannotDecide(
                    f"Order {broker_order_id} is not one of its candidates any more."
                )
            words = OURS.format(agent.get_username(), broker_order_id)
            values = {"broker_order_id": broker_order_id, "reason_code": "", "reason": words}
            _take(child, Status.WORKING, values, agent, now)
    except IntegrityError:
        raise CannotDecide(f"Order {broker_order_id} belongs to another of our orders.") from None


def rule_out_candidates(
    child_id: UUID, *, seen: Collection[str], agent: User, now: datetime
) -> None:
    """Say that the broker has no order that is this one; it counts as not placed.

    Args:
        seen: the numbers of the candidates the agent looked at.

    Errors: CannotDecide, also before the quiet period is over: it may still appear.
    """
    with transaction.atomic():
        child = _unknown(child_id)
        quiet = timedelta(seconds=settings.QUIET_PERIOD_S)
        if child.claimed_at is None or now < child.claimed_at + quiet:
            raise CannotDecide(
                f"It is too early: the order may appear within {settings.QUIET_PERIOD_S} seconds."
            )
        if not set(child.candidates) <= set(seen):
            raise CannotDecide("The broker shows other orders than a moment ago: look again.")
        values = {
            "reason_code": Reason.RULED_OUT,
            "reason": NONE.format(agent.get_username()),
            "ruled_out": child.candidates,
        }
        _take(child, Status.FAILED_TO_PLACE, values, agent, now)


def _unknown(child_id: UUID) -> AccountOrder:
    child = AccountOrder.objects.filter(pk=child_id, status=Status.UNKNOWN).first()
    if child is None:
        raise CannotDecide("This order is not unknown any more; see what became of it.")
    return child


def _take(
    child: AccountOrder, to: Status, values: dict[str, Any], agent: User, now: datetime
) -> None:
    step = Step(child.pk, to, {**values, "needs_agent": False})
    actor = agent.get_username()
    if not take_steps([step], out_of=[Status.UNKNOWN], now=now, actor=actor):
        raise CannotDecide("It was settled at this very moment; see what became of it.")
    refresh_parents({child.order_id})
