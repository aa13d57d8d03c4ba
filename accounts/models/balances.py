"""The history of balances, of single accounts and of the fleet, and who asked for fresh ones."""

from django.db import models
from django.db.models import Q

from accounts.domain.words import Grain, choices
from accounts.models.accounts import Account


class BalanceSnapshot(models.Model):
    """Balances of an account from a moment on, kept only when they changed; null is not said."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="snapshots")
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    cash = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    buying_power = models.DecimalField(max_digits=16, decimal_places=2, null=True)

    class Meta:
        indexes = [models.Index(fields=["account", "at"], name="snapshot_by_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.at:%Y-%m-%d %H:%M}"


class FleetWorth(models.Model):
    """What all accounts were worth together at the end of a minute, a quarter of an hour or a day.

    `at` is when that stretch of time begins. Of `accounts` accounts `known` had a value to add up.
    """

    grain = models.CharField(max_length=7, choices=choices(Grain))
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=18, decimal_places=2)
    known = models.PositiveIntegerField()
    accounts = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["grain", "at"], name="one_worth_per_stretch")
        ]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%Y-%m-%d %H:%M} {self.value}"


class RefreshRun(models.Model):
    """One press of REFRESH: for which accounts, how far it is, and which logins failed.

    `scope` is the same for presses that want the same accounts. `failures` has words by login id.
    """

    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=80)
    scope = models.CharField(max_length=64)
    accounts = models.JSONField(default=list)
    calls = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["asked_at"], name="refresh_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["scope"], condition=Q(finished_at__isnull=True), name="one_refresh_at_work"
            )
        ]

    def __str__(self) -> str:
        return f"refresh {self.pk}: {self.read}/{len(self.accounts)}"
