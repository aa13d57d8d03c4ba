"""The one append-only record of everything that happened."""

from django.db import models


class AuditEvent(models.Model):
    """One thing that happened to one subject; never changed, never removed.

    `subject` is `table:key`; `data` holds facts, never secrets.
    """

    at = models.DateTimeField(db_index=True)
    subject = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    old = models.CharField(max_length=40, blank=True)
    new = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=80, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject", "id"], name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind} {self.old} → {self.new}"


class AuditSeal(models.Model):
    """The link of the hash chain that covers one event."""

    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, primary_key=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest
