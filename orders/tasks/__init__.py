"""Celery tasks about orders: each makes one call, then rings for what is left to do."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.tasks import renew_login
from accounts.tasks.queue import enqueue
from brokerage.schwab.answers import Proof
from brokerage.transport import process_gateway
from orders.selectors.sending import strategies_of
from orders.services import placing, polling, reconciling, renewing
from orders.services.recording import Outcome
from orders.tasks.starting import open_gate as open_gate
from strategies.domain.tickets import Strategy


def ring_for(ids: Sequence[UUID]) -> None:
    """Ring for READY account orders, once per chunk, when the transaction commits."""
    for start in range(0, len(ids), settings.CHUNK_ACCOUNTS):
        chunk = ids[start : start + settings.CHUNK_ACCOUNTS]
        enqueue(place_account_orders, ids=[str(pk) for pk in chunk])


@shared_task(name="orders.place_account_orders")
def place_account_orders(*, ids: list[str]) -> None:
    """Place one chunk of a broadcast; a second delivery of the message finds nothing to claim."""

    def ring(outcome: Outcome) -> None:
        _ring_again(outcome)
        if outcome.counts.get(Proof.ACCEPTED):
            _ring_reads(ids)

    placing.place_account_orders(ids=[UUID(pk) for pk in ids], gateway=process_gateway(), ring=ring)


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


@shared_task(name="orders.reconcile")
def reconcile() -> None:
    """Look for the orders of unknown outcome that are due."""
    _renew(reconciling.reconcile(gateway=process_gateway()).refused_tokens)


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


@shared_task(name="orders.sync_stock_orders")
def sync_stock_orders() -> None:
    """Read every working order in shares once."""
    _renew(polling.sync_stock_orders(gateway=process_gateway()).refused_tokens)


@shared_task(name="orders.sync_option_orders")
def sync_option_orders() -> None:
    """Read every working order in options once."""
    _renew(polling.sync_option_orders(gateway=process_gateway()).refused_tokens)


def _renew(refused: Mapping[UUID, int]) -> None:
    """Have tokens renewed that a read was refused for; the next beat reads with the new ones."""
    for login_id, version in refused.items():
        enqueue(renew_login, login_id=str(login_id), seen_version=version)


def _ring_reads(ids: Sequence[str]) -> None:
    """Have fresh orders read at once, for many fill within the second."""
    for strategy in strategies_of(ids):
        is_stock = strategy == Strategy.EQUITY
        enqueue(sync_stock_orders if is_stock else sync_option_orders)
