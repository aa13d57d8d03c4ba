"""What users prove themselves with beside their passwords, and how often that was tried."""

from uuid import uuid4

from django.db import models

from accounts.fields import EncryptedTextField
from accounts.models.users import User


class TotpSecret(models.Model):
    """The secret that an app on a phone makes codes of; it counts once a code confirmed it.

    `last_step` is the time step of the newest code that was taken: an older one, or the same, is
    refused by the UPDATE that raises it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="totp_secrets")
    secret = EncryptedTextField()
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=False),
                name="one_totp_secret_that_counts",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=True),
                name="one_totp_secret_being_set_up",
            ),
        ]

    def __str__(self) -> str:
        return f"code app of {self.user_id}"


class Passkey(models.Model):
    """A public key whose private half is in a device of the user's.

    `last_challenge` is a digest of the one that was answered last: no answer counts twice.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    # Base64url; the standard allows 1023 bytes.
    credential_id = models.CharField(max_length=1400, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list, blank=True)
    last_challenge = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """One code on paper, good once; only its hash is kept. The number says which one to compare."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    number = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=128)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "number"], name="one_recovery_code_a_number")
        ]

    def __str__(self) -> str:
        return f"recovery code {self.number} of {self.user_id}"


class Tries(models.Model):
    """How often something that can be guessed was tried since then.

    `key` is a digest of what is guessed at, and from where; names that people type stay unknown.
    """

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"
