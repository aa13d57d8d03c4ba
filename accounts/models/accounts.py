"""Trading accounts, their groups, balances and positions."""

from decimal import Decimal
from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.domain.words import AccountKind, choices
from accounts.fields import EncryptedTextField
from accounts.models.logins import BrokerLogin


class Account(models.Model):
    """One trading account; its place in every status grid is fixed for ever.

    One that is not `is_linked` was taken back from the app at the broker, or by us.
    `positions_at` is when the broker was last asked what it holds: only from then on, no position
    means that it holds none. A balance that the broker does not say is null, never zero;
    `opening_value` is what the account was worth when the broker's day began.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    login = models.ForeignKey(BrokerLogin, on_delete=models.PROTECT, related_name="accounts")
    number = EncryptedTextField()
    number_index = models.CharField(max_length=64, unique=True, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    hash_value = models.CharField(max_length=64, db_index=True)
    alias = models.CharField(max_length=60)
    position = models.PositiveIntegerField(unique=True, editable=False)
    is_active = models.BooleanField(default=True)
    is_linked = models.BooleanField(default=True, editable=False)
    kind = models.CharField(max_length=6, choices=choices(AccountKind), default=AccountKind.MARGIN)
    multiplier = models.DecimalField(
        max_digits=6,
        decimal_places=2,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    value = models.DecimalField(max_digits=16, decimal_places=2, null=True, editable=False)
    cash = models.DecimalField(max_digits=16, decimal_places=2, null=True, editable=False)
    buying_power = models.DecimalField(max_digits=16, decimal_places=2, null=True, editable=False)
    opening_value = models.DecimalField(max_digits=16, decimal_places=2, null=True, editable=False)
    balances_at = models.DateTimeField(null=True, editable=False)
    positions_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.alias

    @property
    def mask(self) -> str:
        return f"••••{self.last4}"

    @property
    def day_gain(self) -> Decimal | None:
        """Return what it gained since the broker's day began; None if that was not said."""
        if self.value is None or self.opening_value is None:
            return None
        return self.value - self.opening_value


class AccountGroup(models.Model):
    name = models.CharField(max_length=60, unique=True)
    members = models.ManyToManyField(Account, related_name="groups", blank=True)

    def __str__(self) -> str:
        return self.name


class Position(models.Model):
    """What the broker said an account holds of one symbol when it was last read."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="positions")
    symbol = models.CharField(max_length=32)
    asset_type = models.CharField(max_length=24)
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    average_price = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    market_value = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "symbol"], name="one_position_per_symbol")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.symbol}"
