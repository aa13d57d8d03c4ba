"""Account orders, one per account and attempt, with their legs and fills."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from accounts.domain.words import choices
from accounts.models import Account
from orders.domain.lifecycle import UNRESOLVED, Purpose, Reason, Status, any_of
from orders.models.ids import new_id
from orders.models.parents import ComplexOrder
from strategies.domain.tickets import Instruction


class AccountOrder(models.Model):
    """One account's share of a broadcast; its `status` is written by services/steps.py only.

    `body` is the exact text that goes on the wire, fixed before sending. `net_price` is per unit
    and positive, its direction is the parent's price effect. `sends` counts the claims. While it
    is UNKNOWN, `looked_at` is when its account was last listed and `clean_reads` how many complete
    lists after the quiet period did not show it. `candidates` are the numbers of orders at the
    broker that could be this one, `ruled_out` those of which an agent said that they are not.

    A cancel is a wish, not a status: from `cancel_asked_at` on it is sent, and sent again, until
    the broker shows that the order has ended. With `replace_limit`, what is not filled by then goes
    out anew at that limit, unless `replace_until` is over: as another attempt, the `successor`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Constraints and indexes below begin with these two columns: they need none of their own.
    order = models.ForeignKey(
        ComplexOrder, on_delete=models.CASCADE, related_name="children", db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    purpose = models.CharField(max_length=5, choices=choices(Purpose), default=Purpose.OPEN)
    contracts = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=choices(Status), default=Status.READY)
    reason_code = models.CharField(max_length=24, choices=choices(Reason), blank=True)
    reason = models.CharField(max_length=300, blank=True)
    needs_agent = models.BooleanField(default=False)
    broker_order_id = models.CharField(max_length=24, null=True, blank=True)
    broker_status = models.CharField(max_length=40, blank=True)
    broker_text = models.CharField(max_length=300, blank=True)
    filled = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    remaining = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    net_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sends = models.PositiveSmallIntegerField(default=0)
    deadline_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    clean_reads = models.PositiveSmallIntegerField(default=0)
    candidates = models.JSONField(default=list, blank=True)
    ruled_out = models.JSONField(default=list, blank=True)
    fingerprint = models.CharField(max_length=64)
    body = models.TextField()
    body_hash = models.CharField(max_length=64)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_by = models.CharField(max_length=150, blank=True)
    cancel_sent_at = models.DateTimeField(null=True, blank=True)
    cancel_sends = models.PositiveSmallIntegerField(default=0)
    replace_limit = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    replace_until = models.DateTimeField(null=True, blank=True)
    successor = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="predecessor"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "account", "attempt"], name="one_child_per_attempt"
            ),
            models.UniqueConstraint(
                fields=["account", "broker_order_id"],
                condition=Q(broker_order_id__isnull=False),
                name="one_owner_per_broker_order",
            ),
            models.UniqueConstraint(
                fields=["account", "fingerprint"],
                condition=Q(status__in=any_of(UNRESOLVED)),
                name="one_unresolved_twin",
            ),
        ]
        # Whole indexes: with bound parameters SQLite does not use a partial one for a look-up.
        indexes = [
            # It has the broadcasts of what works, too, so that a desk reads no orders for them.
            models.Index(fields=["status", "deadline_at", "order"], name="children_by_status"),
            models.Index(fields=["account", "fingerprint"], name="children_by_fingerprint"),
            # Statuses, prices and accounts of a broadcast, without reading what was sent.
            models.Index(
                fields=["order", "status", "filled", "net_price", "account"],
                name="children_figures",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} in {self.account_id}: {self.status}"


class AccountOrderLeg(models.Model):
    # The constraint begins with it, here and below: a second index would only slow writes down.
    child = models.ForeignKey(
        AccountOrder, on_delete=models.CASCADE, related_name="legs", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    symbol = models.CharField(max_length=21)
    instruction = models.CharField(max_length=14, choices=choices(Instruction))
    quantity = models.PositiveIntegerField()
    filled = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    average_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["child", "number"], name="one_child_leg_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.instruction} {self.quantity} {self.symbol}"


class LegFill(models.Model):
    """One execution of one leg, kept once however often it is read."""

    leg = models.ForeignKey(
        AccountOrderLeg, on_delete=models.CASCADE, related_name="fills", db_index=False
    )
    activity_id = models.CharField(max_length=24)
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    price = models.DecimalField(max_digits=14, decimal_places=4)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["leg", "activity_id"], name="each_fill_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} @ {self.price}"


class ExternalOrder(models.Model):
    """An order seen at the broker that belongs to no account order, until somebody adopts it.

    `ended_at` is when it was first seen to be over: from then on it is not asked about again.
    `data` has what the broker says of it: legs, type, prices, quantities. It `touches` the placed
    order sets that were open and had one of its symbols in that account when it was first seen.
    """

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="external_orders", db_index=False
    )
    broker_order_id = models.CharField(max_length=24)
    tag = models.CharField(max_length=60, blank=True)
    broker_status = models.CharField(max_length=40)
    entered_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, db_index=True)
    data = models.JSONField(default=dict)
    touches = models.ManyToManyField(
        "orders.PlacedOrderSet", related_name="external_orders", blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "broker_order_id"], name="one_row_per_external_order"
            )
        ]

    def __str__(self) -> str:
        return self.broker_order_id


class ElsewhereLook(models.Model):
    """What an account holds beside what sets explain, and whether its orders were listed for it.

    `difference` names what is held beyond or short of it; it is as it is `since` then. The
    account is listed for it, after it has lasted, until a list settles it: that is `looked_at`.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="elsewhere")
    difference = models.JSONField(default=dict)
    since = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.difference}"
