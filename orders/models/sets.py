"""Placed order sets: the bookmark of a filled broadcast, and the steps of its exit."""

from django.db import models
from django.db.models import Q

from accounts.models import Account
from orders.models.children import AccountOrder
from orders.models.parents import ComplexOrder


class PlacedOrderSet(models.Model):
    order = models.OneToOneField(
        ComplexOrder, on_delete=models.PROTECT, related_name="placed_order_set"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    flat_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"set of #{self.order_id}"


class ExitStep(models.Model):
    """One account's way out of a set; `closed_at` is set when it is flat or handled."""

    placed_order_set = models.ForeignKey(
        PlacedOrderSet, on_delete=models.PROTECT, related_name="exit_steps"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="exit_steps")
    child = models.ForeignKey(AccountOrder, on_delete=models.PROTECT, null=True, blank=True)
    plan = models.JSONField(default=list)
    held = models.JSONField(default=dict)
    residual = models.JSONField(default=dict)
    opened_at = models.DateTimeField(auto_now_add=True)
    flat_at = models.DateTimeField(null=True, blank=True)
    handled_why = models.CharField(max_length=200, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["placed_order_set", "account"],
                condition=Q(closed_at__isnull=True),
                name="one_open_exit_step",
            )
        ]

    def __str__(self) -> str:
        return f"exit of {self.placed_order_set_id} in {self.account_id}"
