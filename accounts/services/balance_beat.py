"""Run the beat of balances and positions: never twice at once, recorded, and compared."""

from collections.abc import Callable, Collection
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.selectors import our_accounts
from accounts.services.asking import FanOut
from accounts.services.balances import BalanceRead, askable_logins, read_balances
from accounts.services.beat_lock import beat_lock
from accounts.services.beat_runs import BeatRun, record_run
from accounts.services.market_hours import is_open
from accounts.services.read_times import (
    BALANCES,
    answered_at,
    claim_reads,
    give_back,
    note_answers,
)

# One that was started by hand waits for the one that runs.
WAIT_S = 30.0

Progress = Callable[[BalanceRead], None]


def run_accounts_beat(
    *, gateway: FanOut, at_once: bool = False, progress: Progress | None = None
) -> BalanceRead:
    """Read the logins that are due; with `at_once` every one, as an operator asks for it.

    Errors: BeatBusy if the beat runs already.
    """
    with beat_lock(Beat.ACCOUNTS, wait_s=WAIT_S if at_once else 0.0):
        now = timezone.now()
        accounts = list(our_accounts().values_list("login_id", flat=True))
        logins = askable_logins(set(accounts))
        open_now = is_open(Beat.ACCOUNTS, now=now)
        every_s = float(settings.BALANCES_EVERY_S if open_now else settings.BALANCES_CLOSED_S)
        due = claim_reads(BALANCES, dict.fromkeys(logins, 0.0 if at_once else every_s), now=now)
        done = BalanceRead()
        for batch in read_balances(list(due), gateway=gateway, now=now):
            done.add(batch)
            if progress is not None:
                progress(done)
        again = done.put_off | done.refused_tokens.keys()
        give_back(BALANCES, {pk: due[pk] for pk in again})
        read = due.keys() - done.put_off - done.silent.keys()
        note_answers(BALANCES, read, at=now)
        run = BeatRun(
            started_at=now.timestamp(),
            finished_at=timezone.now().timestamp(),
            orders=len(accounts),
            logins=len(logins),
            asked=len(due),
            read=len(read),
            put_off=len(done.put_off),
            calls=done.calls,
            changed=done.changed,
            oldest_at=_oldest(logins),
            is_open=open_now,
            every_s=every_s,
        )
        record_run(Beat.ACCOUNTS, run, done.silent, read, _savings(done, len(accounts)))
    return done


def _savings(done: BalanceRead, accounts: int) -> Savings:
    """Compare with one call per account, the only other way there is."""
    return Savings(
        calls=done.calls,
        every_order=accounts,
        every_working=accounts,
        every_account=accounts,
        points_read=done.read,
        points_kept=done.kept,
    )


def _oldest(logins: Collection[UUID]) -> float | None:
    """Return when the login was read that was read longest ago; one never read does not count."""
    times = answered_at(BALANCES) if logins else {}
    return min((times[pk].timestamp() for pk in logins if pk in times), default=None)
