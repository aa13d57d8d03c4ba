"""Choose the orders of unknown outcome whose accounts are to be listed now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from orders.domain.lifecycle import UNRESOLVED, Status, any_of
from orders.models import AccountOrder
from orders.services.resurrecting import GIVEN_UP
from strategies.domain.new_york import midnight

# A beat that comes a moment early must not make an order wait for the next one.
EARLY = timedelta(seconds=0.5)
ABSENT_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Sought:
    """An order that is looked for at the broker.

    Args:
        status: UNKNOWN, or FAILED_TO_PLACE if it was proved absent.
        token_version: of the login's token, to tell a refused one from its successor.
        ruled_out: numbers of which an agent said that they are not this order.
    """

    child_id: UUID
    order_id: int
    account_id: UUID
    login_id: UUID
    account_hash: str
    fingerprint: str
    status: Status
    claimed_at: datetime
    token_version: int
    ruled_out: tuple[str, ...] = ()


def take_due(*, now: datetime) -> list[Sought]:
    """Return the orders to look for now; of two callers one gets each order.

    UNKNOWN ones are due every few seconds, those proved absent today once a minute, unless the
    same order is under way again: a match may then be either's.
    """
    every = timedelta(seconds=settings.RECONCILE_EVERY_S) - EARLY
    unknown = _due(AccountOrder.objects.filter(status=Status.UNKNOWN), now - every)
    absent = _due(_absent_today(now), now - ABSENT_EVERY)
    taken = unknown.update(looked_at=now) + absent.update(looked_at=now)
    return _read(now) if taken else []


def under_way(account: UUID | OuterRef, fingerprint: str | OuterRef) -> QuerySet[AccountOrder]:
    """Return the same orders in the same account of which the end is not known yet."""
    return AccountOrder.objects.filter(
        account=account,
        fingerprint=fingerprint,
        status__in=any_of(UNRESOLVED | {Status.READY}),
    )


def _due(rows: QuerySet[AccountOrder], before: datetime) -> QuerySet[AccountOrder]:
    return rows.filter(
        Q(looked_at__isnull=True) | Q(looked_at__lte=before),
        account__login__environment=settings.ENVIRONMENT,
        claimed_at__isnull=False,
    )


def _absent_today(now: datetime) -> QuerySet[AccountOrder]:
    return AccountOrder.objects.filter(
        ~Exists(under_way(OuterRef("account"), OuterRef("fingerprint"))),
        status=Status.FAILED_TO_PLACE,
        reason_code__in=GIVEN_UP,
        claimed_at__gte=midnight(now),
        # It ends after its claim, give or take a clock that was moved; the index begins so.
        deadline_at__gte=midnight(now) - timedelta(days=1),
    )


def _read(now: datetime) -> list[Sought]:
    rows = AccountOrder.objects.filter(
        looked_at=now, status__in=[Status.UNKNOWN, Status.FAILED_TO_PLACE]
    ).order_by("account__position", "claimed_at")
    return [
        Sought(
            *row[:6],
            status=Status(row[6]),
            claimed_at=row[7],
            token_version=row[8] or 0,
            ruled_out=tuple(row[9]),
        )
        for row in rows.values_list(
            "pk",
            "order_id",
            "account_id",
            "account__login_id",
            "account__hash_value",
            "fingerprint",
            "status",
            "claimed_at",
            "account__login__token__version",
            "ruled_out",
        )
        if row[7] is not None
    ]
