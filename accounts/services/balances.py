"""Read balances and positions of the fleet: one call per login."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.domain.words import LoginStatus
from accounts.fields import key_ring
from accounts.live.panels import nudge
from accounts.models import Account, BalanceSnapshot
from accounts.selectors import our_accounts
from accounts.services.asking import FanOut, authorizations, reply_of
from accounts.services.positions import keep_positions
from brokerage.errors import BrokerError
from brokerage.schwab import messages
from brokerage.schwab.exchange import Call, Exchange
from brokerage.schwab.replies import AccountReading, read_accounts

log = logging.getLogger(__name__)


@dataclass(slots=True)
class BalanceRead:
    """What one beat did."""

    calls: int = 0
    read: int = 0
    changed: int = 0
    silent_logins: list[str] = field(default_factory=list)


def sync_accounts(*, gateway: FanOut, now: datetime) -> BalanceRead:
    """Read balances and positions of every connected login and keep what changed."""
    result = BalanceRead()
    accounts = list(
        our_accounts()
        .filter(login__status__in=[LoginStatus.CONNECTED, LoginStatus.EXPIRING])
        .select_related("login__token")
    )
    known = {account.number_index: account for account in accounts}
    calls = _calls(accounts)
    result.calls = len(calls)
    for batch in gateway.stream(calls) if calls else ():
        readings: list[AccountReading] = []
        for _, exchange in batch:
            readings += _read(exchange, result)
        _keep(readings, known, result, now)
    return result


def _calls(accounts: Sequence[Account]) -> list[Call]:
    """Build one request per login."""
    tokens = {account.login_id: account.login.token.access for account in accounts}
    request = messages.accounts(positions=True)
    return [Call(request, header) for header in authorizations(tokens).values()]


def _read(exchange: Exchange, result: BalanceRead) -> Sequence[AccountReading]:
    try:
        return read_accounts(reply_of(exchange))
    except BrokerError as error:
        log.warning("accounts not read: %s", error)
        result.silent_logins.append(str(error))
        return []


def _keep(
    readings: Sequence[AccountReading],
    known: Mapping[str, Account],
    result: BalanceRead,
    now: datetime,
) -> None:
    changed: list[Account] = []
    ours = [(account, reading) for reading in readings if (account := _named(reading, known))]
    for account, reading in ours:
        before = (account.value, account.cash, account.buying_power)
        account.value = reading.value
        account.cash = reading.cash
        account.buying_power = reading.buying_power
        account.kind = reading.account_type
        account.balances_at = now
        if before != (account.value, account.cash, account.buying_power):
            changed.append(account)
    read = [account for account, _ in ours]
    with transaction.atomic():
        # First, for it locks the accounts in the order in which everybody does.
        keep_positions([(account.pk, reading) for account, reading in ours], read_at=now)
        Account.objects.bulk_update(read, ["value", "cash", "buying_power", "kind", "balances_at"])
        BalanceSnapshot.objects.bulk_create(_snapshot(account, now) for account in changed)
        if read:
            nudge("accounts", "positions", "fleet", "status")
    result.read += len(read)
    result.changed += len(changed)


def _named(reading: AccountReading, known: Mapping[str, Account]) -> Account | None:
    return known.get(key_ring().blind_index(reading.number, column="number"))


def _snapshot(account: Account, now: datetime) -> BalanceSnapshot:
    return BalanceSnapshot(
        account=account,
        at=now,
        value=account.value or Decimal(0),
        cash=account.cash or Decimal(0),
        buying_power=account.buying_power or Decimal(0),
    )
