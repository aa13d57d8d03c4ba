"""The one append-only record of everything that happened."""

from django.db import models


class AuditEvent(models.Model):
    """One thing that happened to one subject; never changed, never removed.

    `subject` is `table:key`; `data` holds facts, never secrets. Where a person's request made it
    happen, `request_id`, `address` and `session` (a part of a digest) say which one. The database
    refuses to change or remove a row (migration 0008).
    """

    at = models.DateTimeField(db_index=True)
    subject = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    old = models.CharField(max_length=40, blank=True)
    new = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=80, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)
    session = models.CharField(max_length=12, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        # The record is narrowed by these, newest first, and grows by three events an order.
        indexes = [
            models.Index(fields=["subject", "id"], name="audit_by_subject"),
            models.Index(fields=["kind", "id"], name="audit_by_kind"),
            models.Index(fields=["actor", "id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind} {self.old} → {self.new}"


class AuditSeal(models.Model):
    """The link of the hash chain that covers one event, the `number`th in the order of sealing.

    Its digest covers the event and the digest before it, under a key that is not in the database.
    """

    number = models.PositiveBigIntegerField(unique=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, primary_key=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest
