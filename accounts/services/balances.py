"""Read balances and positions of the fleet: one call per login."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.domain.words import ABLE
from accounts.fields import key_ring
from accounts.live.panels import nudge
from accounts.models import Account, BalanceSnapshot, BrokerLogin
from accounts.selectors import access_tokens_of, our_accounts, token_versions_of
from accounts.services.asking import FanOut, authorizations, payers, reply_of
from accounts.services.inserting import update_each
from accounts.services.positions import keep_positions
from accounts.services.worth import note_worth
from brokerage.budget import Lane, thrifty
from brokerage.errors import (
    BrokerError,
    PutOff,
    Throttled,
    TokenRefused,
    Unavailable,
    UnreadableReply,
)
from brokerage.schwab import messages
from brokerage.schwab.exchange import Call
from brokerage.schwab.replies import AccountReading, read_accounts

log = logging.getLogger(__name__)

MUST_SIGN_IN = "must sign in again"
FIGURES = ("value", "cash", "buying_power")
_CENT = Decimal("0.01")
# As many digits as the columns have: SQLite would keep more, and never read them again.
_CENTS = Context(prec=16)


@dataclass(slots=True)
class BalanceRead:
    """What one beat or one batch of its answers did.

    Args:
        calls: requests made.
        read: accounts read, of which `changed` have other balances than before.
        kept: rows written.
        silent: why a login told nothing, by login.
        put_off: logins that were not asked, for their request budget is spent.
        refused_tokens: the version of the token that was refused, by login.
    """

    calls: int = 0
    read: int = 0
    changed: int = 0
    kept: int = 0
    silent: dict[UUID, str] = field(default_factory=dict)
    put_off: set[UUID] = field(default_factory=set)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)

    def add(self, other: "BalanceRead") -> None:
        """Add what another batch did."""
        self.calls += other.calls
        self.read += other.read
        self.changed += other.changed
        self.kept += other.kept
        self.silent |= other.silent
        self.put_off |= other.put_off
        self.refused_tokens |= other.refused_tokens


def sync_accounts(
    *, gateway: FanOut, now: datetime, logins: Collection[UUID] | None = None
) -> BalanceRead:
    """Read balances and positions of these connected logins, None for all; keep what changed."""
    wanted = set(our_accounts().values_list("login_id", flat=True)) if logins is None else logins
    result = BalanceRead()
    for batch in read_balances(askable_logins(wanted), gateway=gateway, now=now):
        result.add(batch)
    return result


def askable_logins(login_ids: Collection[UUID]) -> list[UUID]:
    """Return those of these logins that may be asked: the others must sign in first."""
    rows = BrokerLogin.objects.filter(pk__in=login_ids, status__in=ABLE)
    return list(rows.order_by("label").values_list("pk", flat=True))


def read_balances(
    login_ids: Sequence[UUID], *, gateway: FanOut, now: datetime
) -> Iterator[BalanceRead]:
    """Read all accounts of these logins, one call each; yield what every batch of answers did.

    Args:
        now: when they are asked; what was read later than that is kept.
    """
    versions = token_versions_of(login_ids)
    headers = authorizations(access_tokens_of(login_ids))
    asked = [login_id for login_id in login_ids if login_id in headers]
    if without := [login_id for login_id in login_ids if login_id not in headers]:
        yield BalanceRead(silent=dict.fromkeys(without, MUST_SIGN_IN))
    payer, request = payers(asked), messages.accounts(positions=True)
    calls = [Call(request, headers[pk], payer=payer[pk]) for pk in asked]
    for batch in thrifty(gateway, Lane.BALANCES).stream(calls) if calls else ():
        result, readings = BalanceRead(), list[AccountReading]()
        for index, exchange in batch:
            try:
                readings += read_accounts(reply_of(exchange))
            except PutOff:
                result.put_off.add(asked[index])
            except BrokerError as error:
                log.warning("accounts not read: %s", error)
                result.silent[asked[index]] = _words(error)
                if isinstance(error, TokenRefused):
                    result.refused_tokens[asked[index]] = versions.get(asked[index], 0)
        result.calls = len(batch) - len(result.put_off)
        _keep(readings, result, now)
        yield result
    if asked:
        note_worth(now=now)


def _words(error: BrokerError) -> str:
    """Say why a login told nothing, to stand behind its name."""
    match error:
        case TokenRefused():
            return "the broker refused its token; a fresh one is fetched, try again in a moment"
        case Throttled():
            return "the broker asks us to slow down"
        case UnreadableReply():
            return "the broker's answer makes no sense"
        case Unavailable():
            return f"the broker is out of order or away ({error})"
    return str(error)


def _keep(readings: Sequence[AccountReading], result: BalanceRead, now: datetime) -> None:
    """Write what was read in one transaction, and what changed as history."""
    named = _named(readings)
    if not named:
        return
    held = [(pk, one) for pk, one in named.items() if not one.hides_positions]
    if len(held) < len(named):
        log.warning("%d accounts hide their positions", len(named) - len(held))
    with transaction.atomic():
        # First, for it locks the accounts in the order in which everybody does.
        keep_positions(held, read_at=now)
        rows = _not_read_since(named.keys(), now)
        changed = [row for row in rows if _take_over(row, named[row.pk], now)]
        update_each(rows, [*FIGURES, "opening_value", "kind", "balances_at"])
        BalanceSnapshot.objects.bulk_create([_snapshot(row, now) for row in changed])
        nudge("accounts", "positions", "fleet", "status")
    result.read += len(named)
    result.changed += len(changed)
    result.kept += len(rows) + len(changed)


def _named(readings: Sequence[AccountReading]) -> Mapping[UUID, AccountReading]:
    """Return readings by our account; accounts that we do not know are left out."""
    ring = key_ring()
    by_index = {ring.blind_index(one.number, column="number"): one for one in readings}
    ours = our_accounts().filter(number_index__in=by_index).values_list("pk", "number_index")
    return {pk: by_index[index] for pk, index in ours}


def _not_read_since(ids: Collection[UUID], now: datetime) -> list[Account]:
    """Return the accounts whose balances are no newer, locked like positions are."""
    is_older = Q(balances_at__isnull=True) | Q(balances_at__lte=now)
    columns = ("pk", *FIGURES, "opening_value", "kind", "balances_at")
    rows = Account.objects.filter(is_older, pk__in=ids).order_by("pk").only(*columns)
    return list(rows.select_for_update(no_key=True))


def _take_over(account: Account, reading: AccountReading, now: datetime) -> bool:
    """Put what was read into a row; True if a balance is another one than before."""
    before = [getattr(account, name) for name in FIGURES]
    for name in (*FIGURES, "opening_value"):
        setattr(account, name, _cents(getattr(reading, name)))
    account.kind = reading.account_type
    account.balances_at = now
    return before != [getattr(account, name) for name in FIGURES]


def _cents(amount: Decimal | None) -> Decimal | None:
    """Return it as its column keeps it, so that comparing tells what changed.

    An absurd amount is taken for one that was not said.
    """
    try:
        return None if amount is None else amount.quantize(_CENT, context=_CENTS)
    except ArithmeticError:
        return None


def _snapshot(account: Account, now: datetime) -> BalanceSnapshot:
    figures = {name: getattr(account, name) for name in FIGURES}
    return BalanceSnapshot(account=account, at=now, **figures)
