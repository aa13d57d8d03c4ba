"""Choose the accounts of a broadcast: all, picked ones, a group, or all but some."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.domain.words import LoginStatus
from accounts.models import Account, AccountGroup
from accounts.selectors import groups_of, our_accounts
from orders.domain.allocation import Candidate
from orders.domain.errors import BadTicket
from strategies.domain.tickets import Problem


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """Which accounts the agent means; nothing set means all.

    Args:
        ids: only these.
        group: only the members of this group.
        leave_out: all but these.
    """

    ids: tuple[UUID, ...] | None = None
    group: str | None = None
    leave_out: tuple[UUID, ...] = ()


def choose_accounts(choice: AccountChoice) -> Sequence[Candidate]:
    """Return the accounts meant, switched-off ones included, in grid order.

    Errors: BadTicket for an account or group that does not exist.
    """
    rows = our_accounts().select_related("login").defer("number")
    if choice.ids is not None:
        rows = rows.filter(pk__in=choice.ids)
    elif choice.group is not None:
        _check_group(choice.group)
        rows = rows.filter(groups__name=choice.group)
    accounts = list(rows.exclude(pk__in=choice.leave_out))
    _check_ids(choice, accounts)
    groups = groups_of([account.pk for account in accounts])
    return [
        Candidate(
            account_id=account.pk,
            alias=account.alias,
            is_active=account.is_active,
            multiplier=account.multiplier,
            login_words=_login_words(account),
            groups=groups.get(account.pk, frozenset()),
        )
        for account in accounts
    ]


def _login_words(account: Account) -> str:
    """Say why the account's login cannot send, or nothing."""
    login = account.login
    if login.status in {LoginStatus.CONNECTED, LoginStatus.EXPIRING}:
        return ""
    why = f" {login.status_reason}" if login.status_reason else ""
    return f"The login {login.label} must be connected again.{why}"


def _check_group(name: str) -> None:
    if not AccountGroup.objects.filter(name=name).exists():
        raise BadTicket([Problem("accounts", "unknown_group", f"There is no group {name!r}.")])


def _check_ids(choice: AccountChoice, found: Sequence[Account]) -> None:
    missing = set(choice.ids or ()) - {account.pk for account in found} - set(choice.leave_out)
    if missing:
        words = f"Unknown account {min(map(str, missing))}. GET accounts/ lists yours."
        raise BadTicket([Problem("accounts", "unknown_account", words)])
