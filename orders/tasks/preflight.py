"""The Celery task that looks at everything each morning before the open."""

import logging

from celery import shared_task
from django.utils import timezone

from accounts.services.alarms import raise_alarm
from orders.selectors import preflight as looking
from orders.selectors.preflight import NO_GO
from orders.services.broker_clock import clock_check
from orders.tasks.health import queue_part

log = logging.getLogger(__name__)


@shared_task(name="orders.preflight")
def preflight() -> None:
    """Raise an alarm unless the day may begin; the paper order is left to the command."""
    now = timezone.now()
    checks = [*looking.preflight(queue=queue_part(), now=now), clock_check()]
    said = looking.verdict(checks)
    log.info("preflight: %s", said)
    if said != "GO":
        raise_alarm(NO_GO, "preflight", f"{said}. Run: manage.py preflight", now=now)
