"""What programs asked for under a key of their own, and how they were answered."""

from django.conf import settings
from django.db import models


class AnsweredCall(models.Model):
    """One call under an Idempotency-Key, so that the same again does nothing twice.

    Args:
        call: its method and address.
        digest: a keyed digest of what was sent; never that itself, which may hold a password.
        status: of its answer; None while it is at work, and for ever if it was cut off.
        answer: as it went out.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.UUIDField()
    call = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="answered_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_call_per_user_and_key")
        ]

    def __str__(self) -> str:
        return f"{self.call} {self.key}"
