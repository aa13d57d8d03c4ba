"""The nightly thinning: what was read at the broker, and orders made elsewhere that are over."""

import logging
import time
from datetime import datetime

from accounts.services.audit import event, record
from accounts.services.retention import WHOLE_FOR, Wait, delete_in_pieces, thin_readings
from orders.models import ExternalOrder

log = logging.getLogger(__name__)


def thin_history(*, now: datetime, wait: Wait = time.sleep) -> dict[str, int]:
    """Thin everything that grows without end and proves nothing; return how many rows went.

    Orders of ours, their fills and the record of what happened are never touched.
    """
    gone = thin_readings(now=now, wait=wait) | {"external": _forget_external(now, wait)}
    if any(gone.values()):
        record([event("history:readings", "thinned", at=now, actor="retention", data=gone)])
    log.info("thinned: %s", gone)
    return gone


def _forget_external(now: datetime, wait: Wait) -> int:
    """Remove orders made elsewhere that ended long ago."""
    over = ExternalOrder.objects.filter(ended_at__lt=now - WHOLE_FOR)
    keys = list(over.values_list("pk", flat=True))
    return delete_in_pieces(ExternalOrder.objects.all(), keys, wait=wait)
