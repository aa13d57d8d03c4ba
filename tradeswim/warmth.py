"""Keep the placement worker's connections to the broker open, so that an order finds them warm."""

import logging
import math
import threading
import time
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.db.utils import DatabaseError
from django.utils import timezone

from accounts.selectors import our_accounts
from brokerage.transport import process_gateway
from orders.services.claiming import claim

log = logging.getLogger(__name__)

TOP_UP_EVERY_S = 20
# Of one worker; each of them is made anew every half minute.
MOST_CONNECTIONS = 1000


def connections_for(accounts: int, *, workers: int) -> int:
    """Return how many connections one of so many workers keeps open.

    A chunk is sent by one worker, and one of them may take a chunk more than its share.
    """
    chunks = math.ceil(accounts / settings.CHUNK_ACCOUNTS / workers) + 1
    return min(accounts, chunks * settings.CHUNK_ACCOUNTS, MOST_CONNECTIONS)


def keep_warm() -> None:
    """Open connections for the active accounts now, and top up from a thread of our own."""
    _warm()
    _rehearse()
    threading.Thread(target=_go_on, name="keep-warm", daemon=True).start()


def _rehearse() -> None:
    """Claim an order that does not exist: the first real claim then finds everything loaded."""
    try:
        claim([uuid4()], clock=timezone.now)
    except DatabaseError as error:
        log.warning("the rehearsal failed: %s", error)
    finally:
        connection.close()


def _go_on() -> None:
    while True:
        time.sleep(TOP_UP_EVERY_S)
        _warm()


def _warm() -> None:
    try:
        accounts = our_accounts().filter(is_active=True).count()
    except DatabaseError as error:
        log.warning("cannot count accounts to warm up for: %s", error)
        return
    finally:
        connection.close()
    process_gateway().warm(connections_for(accounts, workers=settings.PLACEMENT_WORKERS))
