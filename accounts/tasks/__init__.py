"""Celery tasks about accounts: each makes one call and decides nothing."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.services.balances import sync_accounts as sync_balances
from accounts.services.sessions import forget_ended
from accounts.services.tokens import refresh_due_tokens, refresh_login
from accounts.tasks.refreshing import refresh_accounts as refresh_accounts
from brokerage.transport import process_gateway


@shared_task(name="accounts.sync_accounts")
def sync_accounts() -> None:
    """Read the balances of the whole fleet."""
    sync_balances(gateway=process_gateway(), now=timezone.now())


@shared_task(name="accounts.refresh_tokens")
def refresh_tokens() -> None:
    """Renew the access tokens that end within five minutes."""
    refresh_due_tokens(now=timezone.now())


@shared_task(name="accounts.renew_login")
def renew_login(*, login_id: str, seen_version: int) -> None:
    """Renew a token that was refused, unless somebody has done so already."""
    refresh_login(UUID(login_id), now=timezone.now(), seen_version=seen_version)


@shared_task(name="accounts.forget_ended_sessions")
def forget_ended_sessions() -> None:
    """Remove sessions and refresh tokens that ended."""
    forget_ended(now=timezone.now())
