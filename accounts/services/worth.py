"""Keep what the fleet is worth over time: its last value of every minute, quarter hour and day."""

from datetime import datetime, timedelta

from django.db.models import Count, Sum

from accounts.domain.histories import start_of
from accounts.domain.words import Grain
from accounts.models import FleetWorth
from accounts.selectors import our_accounts

# How long the finer histories are kept; a day's last value is kept for ever.
KEPT = {Grain.MINUTE: timedelta(days=3), Grain.QUARTER: timedelta(days=35)}


def note_worth(*, now: datetime) -> None:
    """Write what all accounts are worth together; nothing while the broker has said of none."""
    sums = our_accounts().aggregate(total=Sum("value"), known=Count("value"), accounts=Count("pk"))
    if (total := sums.pop("total")) is None:
        return
    figures = {"value": total, **sums}
    FleetWorth.objects.bulk_create(
        [FleetWorth(grain=grain, at=start_of(grain, now), **figures) for grain in Grain],
        update_conflicts=True,
        unique_fields=["grain", "at"],
        update_fields=list(figures),
    )


def thin_worth(*, now: datetime) -> int:
    """Remove the finer values that grew old; return how many."""
    return sum(
        FleetWorth.objects.filter(grain=grain, at__lt=now - kept).delete()[0]
        for grain, kept in KEPT.items()
    )
