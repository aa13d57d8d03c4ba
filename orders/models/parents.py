"""What the agent asked for: complex orders with their legs, and saved orders."""

from django.conf import settings
from django.db import models

from accounts.domain.words import choices
from orders.domain.exits import Pricing
from orders.domain.lifecycle import ParentStatus, Purpose
from strategies.domain.tickets import (
    Duration,
    Instruction,
    OrderType,
    PriceEffect,
    Session,
    Strategy,
)


class ComplexOrder(models.Model):
    """One broadcast: the parent of one account order per account.

    `allocation` is the statement fixed before sending: who gets how many contracts, and who is
    left out and why. `broadcast_ms` is the click until the last request was sent. One that `closes`
    a placed order set has an exit step per account, and an account order for each that was planned;
    `percent` of the set is to be closed, `pricing` says how what is not the whole set is priced.
    """

    strategy = models.CharField(max_length=16, choices=choices(Strategy))
    name = models.CharField(max_length=40)
    underlying = models.CharField(max_length=12, db_index=True)
    expiration = models.DateField(null=True, blank=True)
    order_type = models.CharField(max_length=12, choices=choices(OrderType))
    price_effect = models.CharField(max_length=10, choices=choices(PriceEffect), blank=True)
    limit = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    stop = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    duration = models.CharField(max_length=20, choices=choices(Duration))
    session = models.CharField(max_length=10, choices=choices(Session))
    contracts = models.PositiveIntegerField()
    purpose = models.CharField(max_length=5, choices=choices(Purpose), default=Purpose.OPEN)
    closes = models.ForeignKey(
        "PlacedOrderSet", on_delete=models.PROTECT, null=True, blank=True, related_name="exits"
    )
    percent = models.PositiveSmallIntegerField(default=100)
    pricing = models.CharField(max_length=8, choices=choices(Pricing), blank=True)
    status = models.CharField(
        max_length=12, choices=choices(ParentStatus), default=ParentStatus.READY, db_index=True
    )
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False)
    idempotency_key = models.UUIDField(unique=True)
    body_hash = models.CharField(max_length=64)
    allocation = models.JSONField(default=dict)
    clicked_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    broadcast_ms = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        # The history is narrowed and sorted by these; the rows are wide with their statements.
        indexes = [
            models.Index(fields=["clicked_at"], name="orders_by_click"),
            models.Index(fields=["last_sent_at"], name="orders_by_last_send"),
            models.Index(fields=["name", "id"], name="orders_by_name"),
            models.Index(fields=["strategy"], name="orders_by_strategy"),
            models.Index(fields=["purpose"], name="orders_by_purpose"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name} {self.underlying}"


class OrderLeg(models.Model):
    # The constraint begins with it: a second index would only slow writes down.
    order = models.ForeignKey(
        ComplexOrder, on_delete=models.CASCADE, related_name="legs", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    symbol = models.CharField(max_length=21)
    instruction = models.CharField(max_length=14, choices=choices(Instruction))
    ratio = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="one_leg_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.instruction} {self.symbol}"


class PriceLadder(models.Model):
    """How the limit of a broadcast moves until it is filled, step by step towards `bound`.

    `next_at` is when the next step is due; `stopped_at` is set at the bound, by a click, or when
    nothing works any more, `why` says which.
    """

    order = models.OneToOneField(ComplexOrder, on_delete=models.CASCADE, related_name="ladder")
    step = models.DecimalField(max_digits=12, decimal_places=4)
    every_s = models.PositiveIntegerField()
    bound = models.DecimalField(max_digits=12, decimal_places=4)
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)
    steps_taken = models.PositiveSmallIntegerField(default=0)
    stopped_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"ladder of #{self.order_id}"


class SavedOrder(models.Model):
    """A template for one-click entry; `ticket` is the API's body of an order."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=60)
    ticket = models.JSONField()
    number = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number", "id"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "name"], name="one_saved_order_per_name")
        ]

    def __str__(self) -> str:
        return self.name
