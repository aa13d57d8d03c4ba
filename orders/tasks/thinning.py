"""The nightly Celery task that thins what grew old."""

from celery import shared_task
from django.utils import timezone

from orders.services import retention


@shared_task(name="orders.thin_history")
def thin_history() -> None:
    """Thin snapshots and what else was read long ago."""
    retention.thin_history(now=timezone.now())
