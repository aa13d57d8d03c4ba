"""Celery tasks that place account orders, then ring for what is left to do."""

import logging
from collections.abc import Sequence
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.tasks.queue import enqueue
from brokerage.schwab.answers import Proof
from brokerage.transport import process_gateway
from orders.selectors.sending import strategies_of
from orders.services import placing, renewing
from orders.services.creating import Creation
from orders.services.recording import Outcome
from orders.tasks.reading import reconcile, sync_option_orders, sync_stock_orders
from strategies.domain.tickets import Strategy

log = logging.getLogger(__name__)


def ring_for(ids: Sequence[UUID]) -> None:
    """Ring for READY account orders, once per chunk, when the transaction commits."""
    for start in range(0, len(ids), settings.CHUNK_ACCOUNTS):
        chunk = ids[start : start + settings.CHUNK_ACCOUNTS]
        enqueue(place_account_orders, ids=[str(pk) for pk in chunk])


def ring_for_new(creation: Creation) -> None:
    """Ring for what a click has just written, and log where its milliseconds went."""
    ring_for(creation.ready)
    if creation.laps is not None:
        creation.laps.mark("rung")
        log.info("wrote [%s]; ms from the click: %s", creation.order.pk, creation.laps)


@shared_task(name="orders.place_account_orders")
def place_account_orders(*, ids: list[str]) -> None:
    """Place one chunk of a broadcast; a second delivery of the message finds nothing to claim."""
    place_now([UUID(pk) for pk in ids])


def place_now(ids: Sequence[UUID]) -> None:
    """Place READY account orders in this process, which is a placement worker."""

    def ring(outcome: Outcome) -> None:
        _ring_again(outcome)
        if outcome.counts.get(Proof.ACCEPTED):
            _ring_reads(ids)

    if ids:
        placing.place_account_orders(ids=ids, gateway=process_gateway(), ring=ring)


@shared_task(name="orders.renew_and_place")
def renew_and_place(*, login_id: str, seen_version: int, ids: list[str]) -> None:
    """Renew a login's refused token once, then place the orders that waited for it."""
    due = renewing.renew_for_orders(
        login_id=UUID(login_id),
        seen_version=seen_version,
        ids=[UUID(pk) for pk in ids],
        now=timezone.now(),
    )
    ring_for(due)


def _ring_again(outcome: Outcome) -> None:
    """Ring for orders due again, for logins whose token was refused, and for the unknown."""
    ring_for(outcome.again)
    for login_id, children in outcome.refused_logins.items():
        enqueue(
            renew_and_place,
            login_id=str(login_id),
            seen_version=outcome.token_versions[login_id],
            ids=[str(pk) for pk in children],
        )
    if outcome.counts.get(Proof.UNKNOWN):
        enqueue(reconcile)


def _ring_reads(ids: Sequence[UUID]) -> None:
    """Have fresh orders read at once, for many fill within the second."""
    for strategy in strategies_of(ids):
        is_stock = strategy == Strategy.EQUITY
        enqueue(sync_stock_orders if is_stock else sync_option_orders, fresh=True)
