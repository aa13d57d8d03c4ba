"""Hooks by which programs place saved orders, and what is told to receivers outside."""

from uuid import uuid4

from django.conf import settings
from django.db import models

from accounts.domain.happenings import Channel, DeliveryState, Kind
from accounts.domain.words import choices
from accounts.fields import EncryptedTextField
from accounts.models.control import Alarm


class Hook(models.Model):
    """A door for one program: it places saved orders of its agent, and nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=60, unique=True)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hooks"
    )
    secret = EncryptedTextField()
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class HookDelivery(models.Model):
    """One delivery to a hook, taken once; its id is the idempotency key of its order.

    `digest` is that of its body; `refused` says why it made no order and never will.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="deliveries")
    delivery = models.UUIDField()
    digest = models.CharField(max_length=64)
    saved_order = models.CharField(max_length=60, blank=True)
    received_at = models.DateTimeField(db_index=True)
    refused = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hook", "delivery"], name="one_use_per_delivery")
        ]

    def __str__(self) -> str:
        return f"{self.delivery} to {self.hook_id}"


class Receiver(models.Model):
    """Somebody outside who is told what happens: a web address, or the mailbox of the settings.

    `kinds` is what it is told, everything if empty. After `failures` in a row nothing is sent to
    it before `resume_at`; whoever holds the lease is the only one who sends.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=60, unique=True)
    channel = models.CharField(max_length=7, choices=[(one.value, one.value) for one in Channel])
    url = models.CharField(max_length=300, blank=True)
    secret = EncryptedTextField(null=True)
    kinds = models.JSONField(default=list, blank=True)
    is_enabled = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0)
    resume_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    last_words = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """Something that happened, in the words in which it is told; `subject` is `table:key`."""

    kind = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Kind])
    subject = models.CharField(max_length=80)
    at = models.DateTimeField(db_index=True)
    data = models.JSONField(default=dict)
    alarm = models.ForeignKey(
        Alarm, on_delete=models.CASCADE, null=True, blank=True, related_name="messages"
    )

    class Meta:
        indexes = [models.Index(fields=["kind", "subject", "id"], name="messages_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Delivery(models.Model):
    """One message to one receiver: `key` names it to him, so that he takes it once."""

    key = models.UUIDField(default=uuid4, unique=True, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    receiver = models.ForeignKey(Receiver, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(
        max_length=9, choices=choices(DeliveryState), default=DeliveryState.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField()
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    words = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["receiver", "state", "id"], name="deliveries_waiting")]
        constraints = [
            models.UniqueConstraint(
                fields=["message", "receiver"], name="one_delivery_per_message_and_receiver"
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.receiver_id}"


class Bookmark(models.Model):
    """How far a reader of the record has come: the number of the last seal he has read."""

    reader = models.CharField(max_length=20, unique=True)
    number = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.reader} at {self.number}"
