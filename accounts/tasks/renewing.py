"""Celery tasks that keep logins alive: warn in time, and send the browser out."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.domain.beats import Beat
from accounts.services import browser_process, browser_sign_in, market_hours, renewals


@shared_task(name="accounts.renew_logins")
def renew_logins() -> None:
    """Warn of logins that end soon, and let the browser renew those that are due, one by one."""
    now = timezone.now()
    renewals.note_expiring(now=now)
    browser_sign_in.forget_pictures(now=now)
    is_open = market_hours.is_open(Beat.ACCOUNTS, now=now)
    for login_id in renewals.due_for_browser(now=now, is_market_open=is_open):
        _send_out(login_id)


@shared_task(name="accounts.sign_in_by_browser")
def sign_in_by_browser(*, login_id: str) -> None:
    """Let the browser sign in for a login because somebody asked for it."""
    _send_out(UUID(login_id))


def _send_out(login_id: UUID) -> None:
    began = timezone.now()
    if not browser_process.run_browser(login_id):
        browser_sign_in.close_unfinished(login_id, since=began)
