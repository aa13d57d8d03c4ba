"""Reads of accounts, logins and modes; nothing here writes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum

from accounts.domain.modes import ModeRule
from accounts.domain.words import LoginStatus, Mode, ModeScope
from accounts.models import Account, AuditEvent, BrokerLogin, Token, TradingMode


@dataclass(frozen=True, slots=True)
class FleetNumbers:
    """The figures of the frame: accounts and USD."""

    active: int
    accounts: int
    value: Decimal
    buying_power: Decimal
    logins_ok: int
    logins: int


def our_accounts() -> QuerySet[Account]:
    """Return the accounts of this installation's environment, in grid order."""
    return Account.objects.filter(login__environment=settings.ENVIRONMENT).order_by("position")


def fleet_numbers() -> FleetNumbers:
    """Return counts and sums over the fleet."""
    sums = our_accounts().aggregate(
        accounts=Count("pk"),
        active=Count("pk", filter=Q(is_active=True)),
        value=Sum("value"),
        buying_power=Sum("buying_power"),
    )
    logins = BrokerLogin.objects.filter(environment=settings.ENVIRONMENT).aggregate(
        logins=Count("pk"), ok=Count("pk", filter=Q(status=LoginStatus.CONNECTED))
    )
    return FleetNumbers(
        active=sums["active"],
        accounts=sums["accounts"],
        value=sums["value"] or Decimal(0),
        buying_power=sums["buying_power"] or Decimal(0),
        logins_ok=logins["ok"],
        logins=logins["logins"],
    )


def mode_rules() -> list[ModeRule]:
    """Return every mode in force other than OPEN."""
    return [
        ModeRule(ModeScope(row.scope), row.target, Mode(row.mode), row.why)
        for row in TradingMode.objects.exclude(mode=Mode.OPEN)
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


def tokens_of(login_ids: Collection[UUID]) -> Mapping[UUID, Token]:
    """Return the tokens of logins in one query; logins never connected are left out."""
    return {token.login_id: token for token in Token.objects.filter(login_id__in=login_ids)}


def latest_event_id() -> int:
    """Return the number of the newest audit event: it changes whenever anything shown does."""
    newest = AuditEvent.objects.order_by("-id").values_list("id", flat=True).first()
    return newest or 0
