"""Reads of accounts, logins, alarms and the record; nothing here writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.domain.modes import ModeRule, strictest
from accounts.domain.words import ABLE, Mode, ModeScope
from accounts.fields import Secret
from accounts.models import (
    Account,
    AccountGroup,
    Alarm,
    AuditEvent,
    BrokerLogin,
    Position,
    Token,
)
from accounts.prepared import Prepared
from accounts.selectors.modes import mode_rules

# Events that are committed out of order are not further apart than this.
RECENT_EVENTS = 200


@dataclass(frozen=True, slots=True)
class FleetNumbers:
    """The figures of the frame: accounts and USD.

    Args:
        logins_ok: those that can trade, soon ending ones among them.
        events: a word that changes with every audit event.
        balances_at: when any account's balances were read last, as `positions_at`.
    """

    active: int
    accounts: int
    value: Decimal
    buying_power: Decimal
    logins_ok: int
    logins: int
    events: str
    balances_at: datetime | None
    positions_at: datetime | None

    @property
    def version(self) -> str:
        """A word that changes with every audit event, and with every figure that is read."""
        return figures_word(self.events, self.balances_at, self.positions_at)

    @property
    def logins_out(self) -> int:
        """How many logins must sign in again, or do not work."""
        return self.logins - self.logins_ok


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as pages and API show it; balances in USD, `age_s` since they were read."""

    id: UUID
    alias: str
    mask: str
    is_active: bool
    mode: Mode
    mode_words: str
    multiplier: Decimal
    groups: Sequence[str]
    kind: str
    login: str
    login_status: str
    value: Decimal | None
    cash: Decimal | None
    buying_power: Decimal | None
    day_gain: Decimal | None
    age_s: float | None


def account_rows(
    *, now: datetime, after: UUID | None = None, most: int | None = None
) -> list[AccountRow]:
    """Return accounts in grid order, each with the mode in force for it.

    Args:
        after: only those that follow this one in the grid.
        most: how many at most; None for all.
    """
    rows = our_accounts()
    if after is not None:
        rows = rows.filter(position__gt=Account.objects.filter(pk=after).values("position"))
    return _account_rows(rows[:most], now)


def get_account_row(pk: UUID, *, now: datetime) -> AccountRow:
    """Return one account. Errors: Account.DoesNotExist."""
    found = _account_rows(our_accounts().filter(pk=pk), now)
    if not found:
        raise Account.DoesNotExist
    return found[0]


def _account_rows(rows: QuerySet[Account], now: datetime) -> list[AccountRow]:
    accounts = list(rows.select_related("login"))
    groups = groups_of([account.pk for account in accounts])
    rules = mode_rules()
    return [_row(one, groups.get(one.pk, frozenset()), rules, now) for one in accounts]


def _row(
    account: Account, groups: frozenset[str], rules: Sequence[ModeRule], now: datetime
) -> AccountRow:
    rule = strictest(rules, account_id=str(account.pk), groups=groups, underlying="")
    read_at = account.balances_at
    return AccountRow(
        id=account.pk,
        alias=account.alias,
        mask=account.mask,
        is_active=account.is_active,
        mode=rule.mode if rule else Mode.OPEN,
        mode_words=rule.words if rule else "",
        multiplier=account.multiplier,
        groups=sorted(groups),
        kind=account.kind,
        login=account.login.label,
        login_status=account.login.status,
        value=account.value,
        cash=account.cash,
        buying_power=account.buying_power,
        day_gain=account.day_gain,
        age_s=None if read_at is None else (now - read_at).total_seconds(),
    )


def our_accounts() -> QuerySet[Account]:
    """Return the accounts of this installation's environment, in grid order."""
    return Account.objects.filter(login__environment=settings.ENVIRONMENT).order_by("position")


def fleet_numbers() -> FleetNumbers:
    """Return counts and sums over the fleet, all of one moment: in one query, for every page."""
    found = _fleet_numbers.rows()
    if not found:  # there is no login
        zero = Decimal(0)
        return FleetNumbers(0, 0, zero, zero, 0, 0, recent_events_tag(), None, None)
    active, accounts, worth, power, able, logins, events, *read_at = found[0]
    return FleetNumbers(active, accounts, worth, power, able, logins, str(events), *read_at)


def _say_fleet_numbers() -> QuerySet[BrokerLogin, tuple[Any, ...]]:
    logins = BrokerLogin.objects.filter(environment=settings.ENVIRONMENT).order_by()
    numbers = (
        logins.annotate(all=Value(1))
        .values("all")
        .annotate(
            active=Count("accounts", filter=Q(accounts__is_active=True)),
            in_all=Count("accounts"),
            worth=Coalesce(Sum("accounts__value"), Decimal(0)),
            power=Coalesce(Sum("accounts__buying_power"), Decimal(0)),
            logins_ok=Count("pk", filter=Q(status__in=ABLE), distinct=True),
            logins=Count("pk", distinct=True),
            events=Coalesce(Max(_recent_events()), 0),
            balances_at=Max("accounts__balances_at"),
            positions_at=Max("accounts__positions_at"),
        )
    )
    return numbers.values_list(
        *("active", "in_all", "worth", "power", "logins_ok", "logins"),
        *("events", "balances_at", "positions_at"),
    )


_fleet_numbers = Prepared(_say_fleet_numbers, per=lambda: settings.ENVIRONMENT)


def mode_targets() -> list[tuple[ModeScope, str, str]]:
    """Return the groups and accounts that a mode can be set for: scope, target, name."""
    groups = AccountGroup.objects.order_by("name").values_list("name", flat=True)
    accounts = our_accounts().values_list("pk", "alias")
    return [
        *((ModeScope.GROUP, name, name) for name in groups),
        *((ModeScope.ACCOUNT, str(pk), alias) for pk, alias in accounts),
    ]


def groups_of(account_ids: Collection[UUID]) -> Mapping[UUID, frozenset[str]]:
    """Return the names of the groups each account is in; accounts in none are left out."""
    found: dict[UUID, set[str]] = {}
    pairs = Account.objects.filter(pk__in=account_ids, groups__isnull=False).values_list(
        "pk", "groups__name"
    )
    for pk, name in pairs:
        found.setdefault(pk, set()).add(name)
    return {pk: frozenset(names) for pk, names in found.items()}


def held_by(
    account_ids: Collection[UUID], symbols: Collection[str] | None = None
) -> Mapping[UUID, Mapping[str, Decimal]]:
    """Return what each of these accounts held when it was last read, negative where it is short.

    Args:
        symbols: only these; None for all.
    """
    held: dict[UUID, dict[str, Decimal]] = {pk: {} for pk in account_ids}
    rows = Position.objects.filter(account__in=account_ids)
    if symbols is not None:
        rows = rows.filter(symbol__in=symbols)
    for pk, symbol, quantity in rows.values_list("account_id", "symbol", "quantity"):
        held[pk][symbol] = quantity
    return held


def access_tokens_of(login_ids: Collection[UUID]) -> Mapping[UUID, Secret]:
    """Return the access tokens of logins in one query; logins never connected are left out."""
    rows = Token.objects.filter(login_id__in=login_ids).only("login_id", "access")
    return {token.login_id: token.access for token in rows}


def token_versions_of(login_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return the versions of logins' tokens; whoever sends a token reads its version before it.

    Then the version may be older than the token that was sent, never newer: of a token that was
    renewed in between nobody believes that it was refused.
    """
    rows = Token.objects.filter(login_id__in=login_ids)
    return dict(rows.values_list("login_id", "version"))


def recent_events_tag(*, among: int = RECENT_EVENTS) -> str:
    """Return a word that changes with every audit event, in whatever order they are committed.

    A number taken from a sequence may be seen after a higher one; the sum of the last ones tells:
    whichever comes in, a smaller one leaves.
    """
    newest = AuditEvent.objects.order_by("-id").values("id")[:among]
    return str(newest.aggregate(total=Sum("id"))["total"] or 0)


def figures_tag() -> str:
    """Return `FleetNumbers.version` alone: two small queries are made up faster than a big one."""
    events = recent_events_tag()
    read = our_accounts().aggregate(balances=Max("balances_at"), positions=Max("positions_at"))
    return figures_word(events, read["balances"], read["positions"])


def figures_word(events: str, *read_at: datetime | None) -> str:
    """Join what changes with every event and what changes with every figure that is read."""
    return ".".join([events, *(f"{at.timestamp():.3f}" if at else "0" for at in read_at)])


def _recent_events() -> Subquery:
    """Return the same sum, for an annotation."""
    recent = AuditEvent.objects.order_by("-id").values("id")[:RECENT_EVENTS]
    rows = AuditEvent.objects.filter(id__in=recent).order_by().annotate(all=Value(1))
    return Subquery(rows.values("all").annotate(total=Sum("id")).values("total"))


def open_alarms() -> list[Alarm]:
    """Return the alarms that nobody has acknowledged, oldest first."""
    return list(Alarm.objects.filter(acknowledged_at__isnull=True).order_by("raised_at", "pk"))


def past_alarms(*, most: int = 200) -> list[Alarm]:
    """Return the alarms that somebody has acknowledged, those raised last first."""
    rows = Alarm.objects.filter(acknowledged_at__isnull=False).select_related("acknowledged_by")
    return list(rows.order_by("-raised_at", "-pk")[:most])


def recent_words(column: str, *, among: int = 2000) -> list[str]:
    """Return what the newest events have in this column, each once."""
    newest = AuditEvent.objects.order_by("-id").values_list(column, flat=True)[:among]
    return sorted({word for word in newest if word})
