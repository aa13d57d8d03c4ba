"""Placed order sets: the bookmark of a filled broadcast, and the steps of its exit."""

from django.db import models
from django.db.models import Q

from accounts.domain.words import choices
from accounts.models import Account
from orders.domain.exits import ExitState
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
        # Of all sets few are open, and those are asked for again and again.
        indexes = [models.Index(fields=["flat_at"], name="sets_by_flat_at")]

    def __str__(self) -> str:
        return f"set of #{self.order_id}"


class ExitStep(models.Model):
    """One account's way out of a set; `closed_at` is set when it is flat or handled.

    `plan` is what it is to close in all, by symbol; `held` what the broker reported at `read_at`,
    negative where it is short; `residual` what of the plan is left, and once it is flat what of it
    went otherwise than by our orders. `child` is the latest account order of it, and `why` says in
    words what it waits for, or why something is left.
    """

    placed_order_set = models.ForeignKey(
        PlacedOrderSet, on_delete=models.PROTECT, related_name="exit_steps"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="exit_steps")
    order = models.ForeignKey(
        ComplexOrder, on_delete=models.PROTECT, related_name="exit_steps", null=True
    )
    child = models.ForeignKey(
        AccountOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="exit_steps"
    )
    state = models.CharField(max_length=8, choices=choices(ExitState), default=ExitState.WAITING)
    why = models.CharField(max_length=300, blank=True)
    plan = models.JSONField(default=dict)
    held = models.JSONField(default=dict)
    residual = models.JSONField(default=dict)
    read_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)
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
