"""Celery tasks about accounts: each makes one call and decides nothing."""

import logging
import time
from dataclasses import replace
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.domain.beats import Beat
from accounts.services.balance_beat import run_accounts_beat
from accounts.services.balances import BalanceRead
from accounts.services.beat_lock import BeatBusy
from accounts.services.beat_progress import BeatProgress, note_progress
from accounts.services.session_ends import forget_ended
from accounts.services.tokens import refresh_due_tokens, refresh_login
from accounts.services.tries import forget_old_tries
from accounts.tasks.delivering import deliver_messages as deliver_messages
from accounts.tasks.queue import enqueue
from accounts.tasks.refreshing import refresh_accounts as refresh_accounts
from accounts.tasks.renewing import renew_logins as renew_logins
from accounts.tasks.renewing import sign_in_by_browser as sign_in_by_browser
from accounts.tasks.sealing import seal_record as seal_record
from accounts.tasks.watching import count_uptime as count_uptime
from accounts.tasks.watching import say_alive as say_alive
from brokerage.transport import process_gateway

log = logging.getLogger(__name__)


@shared_task(name="accounts.sync_accounts")
def sync_accounts(*, by: str | None = None) -> None:
    """Read balances and positions of the logins that are due, or of all for whoever asked."""
    shown = BeatProgress(by or "", time.time(), is_started=True)

    def tell(done: BalanceRead) -> None:
        shown.failed, shown.logins = len(done.silent), done.calls
        shown.read = done.calls - shown.failed
        note_progress(Beat.ACCOUNTS, shown)

    try:
        done = run_accounts_beat(
            gateway=process_gateway(), at_once=by is not None, progress=tell if by else None
        )
    except BeatBusy as error:
        log.info("%s", error)
        shown.words = str(error)
    else:
        for login_id, version in done.refused_tokens.items():
            enqueue(renew_login, login_id=str(login_id), seen_version=version)
    if by:
        note_progress(Beat.ACCOUNTS, replace(shown, is_done=True))


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
    """Remove sessions and refresh tokens that ended, and counts of tries that count no more."""
    forget_ended(now=timezone.now())
    forget_old_tries(now=timezone.now())
