"""The Celery task that sends what waits in the outbox."""

from celery import shared_task
from django.utils import timezone

from accounts.services import delivering


@shared_task(name="accounts.deliver_messages")
def deliver_messages() -> None:
    """Send what is due; a second one at the same time finds every receiver taken."""
    delivering.deliver_due(now=timezone.now())
