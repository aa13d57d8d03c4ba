"""The Celery task that opens the start-up gate when the start is finished."""

import threading

from celery import shared_task
from django.utils import timezone

from brokerage.transport import process_gateway
from orders.services import starting

_one_at_a_time = threading.Lock()


@shared_task(name="orders.open_gate")
def open_gate() -> None:
    """Try to open the gate; open already, or tried at this moment, there is nothing to do."""
    if not _one_at_a_time.acquire(blocking=False):
        return
    try:
        starting.try_to_open(gateway=process_gateway(), now=timezone.now())
    finally:
        _one_at_a_time.release()
