"""The Celery task that seals the record."""

from celery import shared_task
from django.utils import timezone

from accounts.services import sealing


@shared_task(name="accounts.seal_record")
def seal_record() -> None:
    """Seal the events that were written since, and see to it that none waits for long."""
    now = timezone.now()
    sealing.seal_events(now=now)
    sealing.check_sealing(now=now)
