"""Celery tasks that cancel and replace orders and follow those that the broker replaced."""

from collections.abc import Sequence
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.tasks.queue import enqueue
from brokerage.transport import process_gateway
from orders.services import canceling, following, replacing
from orders.services.canceling import Asked
from orders.tasks.placing import place_now, ring_for
from orders.tasks.reading import renew


def ring_asked(asked: Asked) -> None:
    """Ring for what a wish to cancel or replace is to bring about, when the transaction commits."""
    ring_for(asked.ready)
    ring_cancels(asked.asked)


def ring_cancels(ids: Sequence[UUID]) -> None:
    """Have these orders canceled as soon as they are due."""
    for start in range(0, len(ids), settings.CHUNK_ACCOUNTS):
        chunk = ids[start : start + settings.CHUNK_ACCOUNTS]
        enqueue(send_cancels, ids=[str(pk) for pk in chunk])


@shared_task(name="orders.send_cancels")
def send_cancels(*, ids: list[str] | None = None) -> None:
    """Send the cancels that are due; what is proved to be canceled is replaced at once."""
    chosen = None if ids is None else [UUID(pk) for pk in ids]
    done = canceling.send_cancels(gateway=process_gateway(), ids=chosen)
    renew(done.refused_tokens)
    send_rests()


@shared_task(name="orders.send_rests")
def send_rests() -> None:
    """Send what is left of orders that were canceled to be replaced."""
    place_now(replacing.send_rests(now=timezone.now()))


@shared_task(name="orders.follow_successors")
def follow_successors() -> None:
    """Look for the orders that the broker put in the place of ours."""
    renew(following.follow_successors(gateway=process_gateway()).refused_tokens)
