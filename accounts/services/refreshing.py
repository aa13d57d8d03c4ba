"""REFRESH: read the balances of some accounts or of all at once, and say how far that is."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.domain.words import ABLE, LoginStatus
from accounts.live.panels import nudge
from accounts.models import Account, BrokerLogin, RefreshRun
from accounts.selectors import our_accounts
from accounts.services.asking import FanOut
from accounts.services.balances import MUST_SIGN_IN, read_balances
from accounts.services.beat_runs import WRITE_EVERY_S, count_calls, flush_days
from accounts.services.editing import NoSuchAccount

ALL = "all"
# A run that is not finished by then is given up: its worker died, or never heard of it.
GIVEN_UP_AFTER = timedelta(seconds=120)
TRY_AGAIN = timedelta(seconds=2)
KEPT = timedelta(days=30)
# How long the page shows a refresh that failed somewhere, and one that did not.
SHOWN, SHOWN_IF_RIGHT = timedelta(minutes=10), timedelta(seconds=20)

BUDGET_SPENT = "was not asked: its app key has no request left to spend; try again in a minute"

ByLogin = Mapping[UUID, Sequence[UUID]]


@dataclass(frozen=True, slots=True)
class RefreshFailure:
    """A login that told nothing: the name of its only account or its own, and why."""

    name: str
    words: str
    accounts: int


@dataclass(frozen=True, slots=True)
class RefreshProgress:
    """How far a refresh is.

    Args:
        calls: what it costs: one call per login.
        read: accounts read so far, of `accounts`; `failed` accounts will not be.
        is_given_up: nobody finished it; its worker is down or was stopped.
    """

    id: int
    asked_at: datetime
    asked_by: str
    accounts: int
    calls: int
    read: int
    failed: int
    failures: tuple[RefreshFailure, ...]
    is_done: bool
    is_given_up: bool


def ask_refresh(*, account_ids: Collection[UUID] | None, by: str, now: datetime) -> RefreshRun:
    """Begin to read these accounts, None for all; one at work that reads them is returned instead.

    The caller rings for `run_refresh` if the run is new, which is if nobody started it.

    Errors: NoSuchAccount.
    """
    with transaction.atomic():
        _give_up_old(now)
        logins = _logins_of(account_ids)
        scope = ALL if account_ids is None else _scope(account_ids)
        at_work = RefreshRun.objects.filter(finished_at__isnull=True, scope__in={ALL, scope})
        return at_work.order_by("pk").last() or _begin(scope, logins, by, now)


def run_refresh(
    run_id: int, *, gateway: FanOut, wait: Callable[[float], object] = time.sleep
) -> Mapping[UUID, int]:
    """Read what a refresh asked for, once; a second delivery of the message finds it started.

    Logins whose request budget is spent are asked again until it is not.

    Returns:
        Token versions that the broker refused, by login.
    """
    mine = RefreshRun.objects.filter(pk=run_id)
    if not mine.filter(started_at=None, finished_at=None).update(started_at=timezone.now()):
        return {}
    run = mine.get()
    refused: dict[UUID, int] = {}
    try:
        while logins := _unread(run):
            put_off = _read_once(run, list(logins), gateway, refused)
            if not put_off:
                break
            if timezone.now() > run.asked_at + GIVEN_UP_AFTER - TRY_AGAIN:
                run.failures |= dict.fromkeys(map(str, put_off), BUDGET_SPENT)
                break
            wait(TRY_AGAIN.total_seconds())
        run.failures |= _not_shown(_unread(run))
    finally:
        run.finished_at = timezone.now()
        _note(run)
        flush_days(only=Beat.ACCOUNTS, every_s=WRITE_EVERY_S)
    return refused


def _read_once(
    run: RefreshRun, logins: Sequence[UUID], gateway: FanOut, refused: dict[UUID, int]
) -> set[UUID]:
    """Ask these logins once, writing down how far it is; return those that were put off."""
    put_off: set[UUID] = set()
    now = max(timezone.now(), run.asked_at)
    for batch in read_balances(logins, gateway=gateway, now=now):
        read = Savings(batch.calls, points_read=batch.read, points_kept=batch.kept)
        count_calls(Beat.ACCOUNTS, read)
        run.failures |= {str(pk): words for pk, words in batch.silent.items()}
        refused |= batch.refused_tokens
        put_off |= batch.put_off
        run.read = len(run.accounts) - len(_unread_accounts(run))
        _note(run)
    return put_off


def progress_of(run: RefreshRun, *, now: datetime) -> RefreshProgress:
    """Return how far a refresh is, with the names of what failed."""
    failures = _named_failures(run)
    is_old = run.finished_at is None and run.asked_at < now - GIVEN_UP_AFTER
    is_done = is_old or run.finished_at is not None
    failed = sum(one.accounts for one in failures)
    return RefreshProgress(
        id=run.pk,
        asked_at=run.asked_at,
        asked_by=run.asked_by,
        accounts=len(run.accounts),
        calls=run.calls,
        read=run.read,
        failed=len(run.accounts) - run.read if is_done and failures else failed,
        failures=failures,
        is_done=is_done,
        is_given_up=is_done and not failures and run.read < len(run.accounts),
    )


def shown_refresh(run: RefreshRun | None = None, *, now: datetime) -> RefreshProgress | None:
    """Return the refresh that was asked for last, as long as somebody may want to see it.

    Args:
        run: this one instead.
    """
    run = run or RefreshRun.objects.order_by("-pk").first()
    if run is None or run.asked_at < now - SHOWN:
        return None
    found = progress_of(run, now=now)
    is_all_right = found.is_done and found.read == found.accounts
    if is_all_right and run.finished_at and run.finished_at < now - SHOWN_IF_RIGHT:
        return None
    return found


def refresh_tag() -> str:
    """Return a word that changes with the progress of the newest refresh, for live panels."""
    newest = RefreshRun.objects.order_by("-pk").values_list("pk", "read", "failures", "finished_at")
    found = newest.first()
    return "" if found is None else f"{found[0]}-{found[1]}-{len(found[2])}-{bool(found[3])}"


def forget_refreshes(*, now: datetime) -> int:
    """Remove refreshes that were asked for long ago; return how many."""
    return RefreshRun.objects.filter(asked_at__lt=now - KEPT).delete()[0]


def _give_up_old(now: datetime) -> None:
    old = RefreshRun.objects.filter(finished_at__isnull=True, asked_at__lt=now - GIVEN_UP_AFTER)
    old.update(finished_at=now)


def _begin(scope: str, logins: ByLogin, by: str, now: datetime) -> RefreshRun:
    """Write a new run; logins that must sign in have failed already."""
    failures = {
        str(pk): reason if status == LoginStatus.ERROR and reason else MUST_SIGN_IN
        for pk, status, reason in BrokerLogin.objects.filter(pk__in=logins)
        .exclude(status__in=ABLE)
        .values_list("pk", "status", "status_reason")
    }
    run = RefreshRun(
        asked_at=now,
        asked_by=by[:80],
        scope=scope,
        accounts=[str(pk) for accounts in logins.values() for pk in accounts],
        calls=len(logins) - len(failures),
        failures=failures,
        finished_at=None if len(failures) < len(logins) else now,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:  # somebody else pressed at the same moment
        return RefreshRun.objects.get(scope=scope, finished_at=None)
    nudge("accounts")
    return run


def _logins_of(account_ids: Collection[UUID] | None) -> dict[UUID, list[UUID]]:
    """Return the wanted accounts by login. Errors: NoSuchAccount."""
    rows = our_accounts()
    if account_ids is not None:
        rows = rows.filter(pk__in=account_ids)
    logins: dict[UUID, list[UUID]] = defaultdict(list)
    for pk, login_id in rows.values_list("pk", "login_id"):
        logins[login_id].append(pk)
    if account_ids is not None and sum(map(len, logins.values())) < len(set(account_ids)):
        raise NoSuchAccount("There is no such account")
    return dict(logins)


def _unread(run: RefreshRun) -> dict[UUID, list[UUID]]:
    """Return the accounts that are still to be read by login, without logins that failed."""
    logins: dict[UUID, list[UUID]] = defaultdict(list)
    for pk, login_id in _unread_accounts(run):
        if str(login_id) not in run.failures:
            logins[login_id].append(pk)
    return logins


def _unread_accounts(run: RefreshRun) -> list[tuple[UUID, UUID]]:
    """Return account and login of what nobody has read since the refresh was asked for."""
    is_older = Q(balances_at__isnull=True) | Q(balances_at__lt=run.asked_at)
    rows = our_accounts().filter(is_older, pk__in=run.accounts)
    return list(rows.values_list("pk", "login_id"))


def _scope(account_ids: Collection[UUID]) -> str:
    names = ",".join(sorted(str(pk) for pk in set(account_ids)))
    return hashlib.sha256(names.encode()).hexdigest()


def _note(run: RefreshRun) -> None:
    """Write how far a run is, and tell open pages."""
    figures = {name: getattr(run, name) for name in ("read", "failures", "finished_at")}
    with transaction.atomic():
        RefreshRun.objects.filter(pk=run.pk).update(**figures)
        nudge("accounts")


def _not_shown(missing: ByLogin) -> dict[str, str]:
    """Return words for logins that answered without some of their accounts."""
    return {
        str(pk): f"the broker does not show {_count(len(accounts))} of it any more"
        for pk, accounts in missing.items()
    }


def _named_failures(run: RefreshRun) -> tuple[RefreshFailure, ...]:
    if not run.failures:
        return ()
    wanted = set(run.accounts)
    aliases: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    labels: dict[str, str] = {}
    rows = Account.objects.filter(login__in=run.failures).order_by("position")
    for pk, alias, login_id, label in rows.values_list("pk", "alias", "login_id", "login__label"):
        aliases[str(login_id)].append((alias, str(pk) in wanted))
        labels[str(login_id)] = label
    return tuple(
        RefreshFailure(
            name=aliases[pk][0][0] if len(aliases[pk]) == 1 else labels[pk],
            words=run.failures[pk],
            accounts=sum(is_wanted for _, is_wanted in aliases[pk]),
        )
        for pk in labels
    )


def _count(number: int) -> str:
    return f"{number} account{'' if number == 1 else 's'}"
