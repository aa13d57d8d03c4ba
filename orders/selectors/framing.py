"""What stands around every page of the desk."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, OuterRef, QuerySet, Subquery

from accounts.prepared import Prepared
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
    """Return how many orders are of unknown outcome, and what was sent last, in one query."""
    for unknown, *last in _around.rows():
        return Around(unknown or 0, LastBroadcast(*last) if None not in last else None)
    return Around(unknown=0, last=None)


def _say_around() -> QuerySet[ComplexOrder, tuple[Any, ...]]:
    newest = ComplexOrder.objects.order_by("-pk")
    sent = newest.filter(broadcast_ms__isnull=False)
    asked = newest.annotate(
        unknown=_unknown(),
        number=Subquery(sent.values("pk")[:1]),
        took_ms=Subquery(sent.values("broadcast_ms")[:1]),
        went_to=_accounts(OuterRef("number")),
    )
    return asked.values_list("unknown", "number", "went_to", "took_ms")[:1]


_around = Prepared(_say_around, per=lambda: settings.ENVIRONMENT)


def _unknown() -> Subquery:
    unknown = AccountOrder.objects.filter(
        status=Status.UNKNOWN, account__login__environment=settings.ENVIRONMENT
    )
    counted = unknown.order_by().values("status").annotate(n=Count("pk"))
    return Subquery(counted.values("n"))


def _accounts(order: OuterRef) -> Subquery:
    """Return how many accounts a broadcast was sent to."""
    sent = AccountOrder.objects.filter(order=order, sent_at__isnull=False)
    counted = sent.order_by().values("order").annotate(n=Count("account", distinct=True))
    return Subquery(counted.values("n"))
