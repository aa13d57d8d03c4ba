"""The Celery task that seals the record."""

from celery import shared_task
from django.utils import timezone

from accounts.services import sealing


@shared_task(name="accounts.seal_record")
def seal_record() -> None:
    """Seal the events that were written since."""
    while sealing.seal_events(now=timezone.now()) == sealing.AT_ONCE:
        pass  # there are more: a long record is sealed for the first time
