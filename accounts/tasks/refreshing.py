"""REFRESH of balances: the door that begins one, and the Celery task that carries it out."""

from collections.abc import Collection
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.models import RefreshRun
from accounts.services.refreshing import ask_refresh, run_refresh
from accounts.tasks.queue import check_queue, enqueue, enqueue_named
from brokerage.transport import process_gateway


def begin_refresh(account_ids: Collection[UUID] | None, *, by: str) -> RefreshRun:
    """Have these accounts read, None for all; one at work that reads them is returned instead.

    Errors: QueueDown, NoSuchAccount; nothing is written then.
    """
    check_queue(left="read")
    run = ask_refresh(account_ids=account_ids, by=by, now=timezone.now())
    if run.started_at is None and run.finished_at is None:
        enqueue(refresh_accounts, run_id=run.pk)
    return run


@shared_task(name="accounts.refresh_accounts")
def refresh_accounts(*, run_id: int) -> None:
    """Read what a refresh asked for; tokens that were refused are renewed."""
    for login_id, version in run_refresh(run_id, gateway=process_gateway()).items():
        enqueue_named("accounts.renew_login", login_id=str(login_id), seen_version=version)
