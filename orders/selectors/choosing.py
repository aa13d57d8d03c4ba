"""Choose the accounts of a broadcast: all, picked ones, a group, or all but some."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.domain.words import ABLE, AccountKind, ModeScope
from accounts.models import AccountGroup
from accounts.prepared import Prepared
from accounts.selectors import groups_of, our_accounts
from accounts.selectors.modes import mode_rules
from orders.domain.allocation import Candidate, Share, allocate
from orders.domain.errors import BadTicket
from orders.domain.lifecycle import Purpose
from strategies.domain.legs import is_closing
from strategies.domain.symbols import underlying_of
from strategies.domain.tickets import Problem, Ticket


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


ALL = AccountChoice()


def share_out(
    ticket: Ticket, choice: AccountChoice, purpose: Purpose, *, most: int | None
) -> list[Share]:
    """Say who would get how much of a ticket now, and who would be left out and why.

    Args:
        most: an account that would get more contracts is left out; None for no such limit.

    Errors: BadTicket for an account or group that does not exist.
    """
    rules = mode_rules()
    return allocate(
        choose_accounts(choice, with_groups=any(r.scope == ModeScope.GROUP for r in rules)),
        contracts=ticket.contracts,
        purpose=purpose,
        underlying=underlying_of(ticket.legs[0].symbol),
        rules=rules,
        most=most,
    )


def purpose_of(ticket: Ticket) -> Purpose:
    """Return CLOSE for a ticket whose legs all close."""
    return Purpose.CLOSE if is_closing(ticket.legs) else Purpose.OPEN


def choose_accounts(choice: AccountChoice, *, with_groups: bool = True) -> Sequence[Candidate]:
    """Return the accounts meant, switched-off ones included, in grid order.

    Errors: BadTicket for an account or group that does not exist.
    """
    found = [_Row(*row) for row in _chosen(choice)]
    _check_ids(choice, {row.account_id for row in found})
    groups = groups_of([row.account_id for row in found]) if with_groups else {}
    return [_candidate(row, groups.get(row.account_id, frozenset())) for row in found]


def _chosen(choice: AccountChoice) -> Iterable[tuple[Any, ...]]:
    """Return rows, not objects: this stands between the click and the first request sent."""
    if choice == ALL:
        return _all.rows()
    rows = our_accounts()
    if choice.ids is not None:
        rows = rows.filter(pk__in=choice.ids)
    elif choice.group is not None:
        _check_group(choice.group)
        rows = rows.filter(groups__name=choice.group)
    return rows.exclude(pk__in=choice.leave_out).values_list(*_COLUMNS)


class _Row(NamedTuple):
    """What is read of an account, in the order of _COLUMNS."""

    account_id: UUID
    alias: str
    is_active: bool
    multiplier: Decimal
    buying_power: Decimal | None
    kind: str
    login_status: str
    login_label: str
    login_reason: str
    is_linked: bool


_COLUMNS = (
    *("pk", "alias", "is_active", "multiplier", "buying_power", "kind"),
    *("login__status", "login__label", "login__status_reason", "is_linked"),
)
_all = Prepared(lambda: our_accounts().values_list(*_COLUMNS), per=lambda: settings.ENVIRONMENT)


def _candidate(row: _Row, groups: frozenset[str]) -> Candidate:
    return Candidate(
        account_id=row.account_id,
        alias=row.alias,
        is_active=row.is_active,
        multiplier=row.multiplier,
        buying_power=row.buying_power,
        is_margin=row.kind != AccountKind.CASH,
        login_words=_login_words(
            row.login_status, row.login_label, row.login_reason, is_linked=row.is_linked
        ),
        groups=groups,
    )


def members_of(order_id: int, choice: AccountChoice) -> tuple[UUID, ...] | None:
    """Return which accounts of a broadcast are meant; None for all of them.

    Accounts that are named are taken as they are, a group only as far as it was in the broadcast.

    Errors: BadTicket for a group that does not exist.
    """
    if choice.ids is not None:
        return choice.ids
    if choice.group is None and not choice.leave_out:
        return None
    members = our_accounts().filter(orders__order=order_id).exclude(pk__in=choice.leave_out)
    if choice.group is not None:
        _check_group(choice.group)
        members = members.filter(groups__name=choice.group)
    return tuple(members.values_list("pk", flat=True).distinct())


def _login_words(status: str, label: str, reason: str, *, is_linked: bool) -> str:
    """Say why the account's login cannot send, or nothing."""
    if status in ABLE:
        unlinked = f"It is not linked to {label} any more: connect that login and tick it."
        return "" if is_linked else unlinked
    return f"The login {label} must be connected again. {reason}".rstrip()


def _check_group(name: str) -> None:
    if not AccountGroup.objects.filter(name=name).exists():
        raise BadTicket([Problem("accounts", "unknown_group", f"There is no group {name!r}.")])


def _check_ids(choice: AccountChoice, found: Collection[UUID]) -> None:
    """Refuse an account that does not exist: a mistyped exclusion would trade the one meant."""
    left_out = our_accounts().filter(pk__in=choice.leave_out).values_list("pk", flat=True)
    known = set(found).union(left_out if choice.leave_out else ())
    missing = {*(choice.ids or ()), *choice.leave_out} - known
    if missing:
        words = f"Unknown account {min(map(str, missing))}. GET accounts/ lists yours."
        raise BadTicket([Problem("accounts", "unknown_account", words)])
