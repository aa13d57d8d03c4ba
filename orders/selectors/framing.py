"""What stands around every page of the desk."""

from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from orders.domain.lifecycle import Status
from orders.models import AccountOrder, ComplexOrder


class LastBroadcast(NamedTuple):
    """The broadcast that was sent last."""

    number: int
    accounts: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class Around:
    """The orders' part of the frame."""

    unknown: int
    last: LastBroadcast | None


def around() -> Around:
    """Return how many orders are of unknown outcome, and what was sent last."""
    unknown = AccountOrder.objects.filter(
        status=Status.UNKNOWN, account__login__environment=settings.ENVIRONMENT
    )
    return Around(unknown=unknown.count(), last=_last())


def _last() -> LastBroadcast | None:
    sent = ComplexOrder.objects.filter(broadcast_ms__isnull=False).order_by("-pk")
    number, took_ms = sent.values_list("pk", "broadcast_ms").first() or (None, None)
    if number is None or took_ms is None:
        return None
    accounts = AccountOrder.objects.filter(order=number, sent_at__isnull=False)
    return LastBroadcast(number, accounts.values("account").distinct().count(), took_ms)
