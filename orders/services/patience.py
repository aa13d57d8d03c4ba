"""Write what must not be forgotten although the database is busy."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_S = 0.1


def patiently(write: Callable[[], T]) -> T:
    """Do one whole transaction, again and again while a lock or the database is not to be had.

    For answers of the broker, which exist only in memory: they are written until the lease of
    their claims is over; what is not written by then becomes UNKNOWN by the sweeper.

    Errors: OperationalError, InterfaceError when the lease is over; others at once.
    """
    until = time.monotonic() + settings.CLAIM_LEASE_S
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > until:
                raise
            log.warning("not written yet: %s", error)
            connection.close_if_unusable_or_obsolete()
            time.sleep(PAUSE_S)
