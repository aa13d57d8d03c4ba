"""Celery tasks that tell who is there."""

from celery import shared_task
from django.utils import timezone

from accounts.domain.heartbeats import queue_name
from accounts.services import heartbeats, uptime


@shared_task(name="accounts.say_alive")
def say_alive(*, queue: str) -> None:
    """Say that a message went all the way through this queue."""
    heartbeats.say_alive(queue_name(queue))


@shared_task(name="accounts.count_uptime")
def count_uptime() -> None:
    """Count this minute for whatever is there."""
    uptime.count_minute(now=timezone.now())
