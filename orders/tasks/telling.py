"""The Celery task that tells people and receivers outside what happened."""

from celery import shared_task
from django.utils import timezone

from accounts.services.outbox import tell_alarms
from accounts.tasks.queue import enqueue_named
from orders.services import telling


@shared_task(name="orders.tell_record")
def tell_record() -> None:
    """Tell what was sealed since, and the alarms nobody was told of; then ring for the sending."""
    read = telling.tell_record(now=timezone.now())
    if tell_alarms(now=timezone.now()) or read:
        enqueue_named("accounts.deliver_messages")
