"""Celery tasks that read orders at the broker: the beats, and the search for the unknown."""

from collections.abc import Mapping
from uuid import UUID

from celery import shared_task

from accounts.tasks import renew_login
from accounts.tasks.queue import enqueue, enqueue_named
from brokerage.transport import process_gateway
from orders.selectors.due import has_due_exits
from orders.services import polling, reconciling
from orders.services.replacing import due_rests


@shared_task(name="orders.reconcile")
def reconcile() -> None:
    """Look for the orders of unknown outcome that are due."""
    reconciled = reconciling.reconcile(gateway=process_gateway())
    renew(reconciled.refused_tokens)
    if reconciled.found or reconciled.absent:
        _ring_followers()


@shared_task(name="orders.sync_stock_orders")
def sync_stock_orders() -> None:
    """Read every working order in shares once."""
    _follow(polling.sync_stock_orders(gateway=process_gateway()))


@shared_task(name="orders.sync_option_orders")
def sync_option_orders() -> None:
    """Read every working order in options once."""
    _follow(polling.sync_option_orders(gateway=process_gateway()))


def renew(refused: Mapping[UUID, int]) -> None:
    """Have tokens renewed that a read was refused for; the next beat reads with the new ones."""
    for login_id, version in refused.items():
        enqueue(renew_login, login_id=str(login_id), seen_version=version)


def _follow(polled: polling.Polled) -> None:
    renew(polled.refused_tokens)
    if polled.changed:
        _ring_followers()


def _ring_followers() -> None:
    """Ring at once for what was waiting for an order to fill or to end."""
    if due_rests().exists():
        enqueue_named("orders.send_rests")
    if has_due_exits():
        enqueue_named("orders.advance_exits")
