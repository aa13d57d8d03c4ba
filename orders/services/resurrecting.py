"""Bring back orders that were proved absent and are at the broker after all."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from accounts.services.alarms import raise_alarm
from orders.domain.lifecycle import Reason, Status
from orders.models import AccountOrder
from orders.services.steps import Step, take_steps

GIVEN_UP = (Reason.PROVED_ABSENT, Reason.RULED_OUT)
WORDS = "The broker shows this order after all, under number {}. It counts as placed again."


def resurrect(found: Mapping[UUID, str], *, now: datetime, actor: str) -> set[UUID]:
    """Let absent orders live again, with an alarm each; the caller holds the transaction.

    Args:
        found: the broker's order number by account order; orders in another state are left alone.
    """
    rows = AccountOrder.objects.filter(
        pk__in=found, status=Status.FAILED_TO_PLACE, reason_code__in=GIVEN_UP
    )
    steps = [
        Step(
            pk,
            Status.WORKING,
            {
                "broker_order_id": found[pk],
                "reason_code": Reason.RESURRECTED,
                "reason": WORDS.format(found[pk]),
            },
        )
        for pk in rows.values_list("pk", flat=True)
    ]
    moved = take_steps(steps, out_of=[Status.FAILED_TO_PLACE], now=now, actor=actor)
    for pk in moved:
        raise_alarm("RESURRECTED", f"accountorder:{pk}", WORDS.format(found[pk]), now=now)
    return moved
