"""The Celery task that climbs price ladders, and rings for what their steps are to bring about."""

from celery import shared_task
from django.utils import timezone

from orders.services import climbing
from orders.tasks.controlling import ring_asked


@shared_task(name="orders.climb")
def climb() -> None:
    """Climb every ladder that is due; a second delivery of the message finds none."""
    for asked in climbing.climb(now=timezone.now()).asked:
        ring_asked(asked)
