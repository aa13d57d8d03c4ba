"""Change what an agent may change of accounts: name, switch, multiplier, groups."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.modes import strictest
from accounts.domain.refusals import NothingDone
from accounts.domain.words import Mode, ModeScope
from accounts.models import Account, AccountGroup, AuditEvent
from accounts.selectors import groups_of, our_accounts
from accounts.selectors.modes import mode_rules
from accounts.services.audit import event, record

COLUMNS = frozenset({"alias", "is_active", "multiplier"})
EDITABLE = COLUMNS | {"groups"}
LONGEST_NAME = 60

# The names before a change, and after it.
_Groups = tuple[frozenset[str], frozenset[str]]


class MayNotEdit(NothingDone):
    """A mode in force forbids the change; the text says which one, and what to do."""


class NoSuchAccount(NothingDone):
    """An account that is not here was to be changed."""


def edit_account(
    *, account_id: UUID, changes: Mapping[str, Any], actor: str, now: datetime
) -> None:
    """Write checked changes to an account, with one event each for what really changed.

    Args:
        changes: new values by name; `groups` are names, groups that do not exist are made.

    Errors: MayNotEdit; nothing is written then.
    """
    if unknown := set(changes) - EDITABLE:
        raise ValueError(f"Not editable: {sorted(unknown)}")
    with transaction.atomic():
        before = Account.objects.select_for_update().values(*COLUMNS).get(pk=account_id)
        changed = {
            name: value
            for name, value in changes.items()
            if name in COLUMNS and before[name] != value
        }
        if changed.get("is_active"):
            _check_may_switch_on([account_id])
        if changed:
            Account.objects.filter(pk=account_id).update(**changed)
        events = [
            _event(account_id, name, before[name], value, actor, now)
            for name, value in changed.items()
        ]
        if "groups" in changes:
            is_in = groups_of([account_id]).get(account_id, frozenset())
            regrouped = {account_id: (is_in, frozenset(changes["groups"]))}
            events += _regroup(regrouped, actor, now)
        record(events)


def switch_accounts(
    *, account_ids: Collection[UUID], is_active: bool, actor: str, now: datetime
) -> list[str]:
    """Take accounts into broadcasts or out of them; return the aliases of those that changed.

    Errors: MayNotEdit, NoSuchAccount; nothing is written then.
    """
    with transaction.atomic():
        rows = _locked(account_ids)
        changed = [(pk, alias) for pk, alias, was_active in rows if was_active != is_active]
        ids = [pk for pk, _ in changed]
        if is_active:
            _check_may_switch_on(ids)
        Account.objects.filter(pk__in=ids).update(is_active=is_active)
        record(_event(pk, "is_active", not is_active, is_active, actor, now) for pk in ids)
    return [alias for _, alias in changed]


def group_accounts(
    *, account_ids: Collection[UUID], name: str, is_in: bool, actor: str, now: datetime
) -> list[str]:
    """Take accounts into a group, made if there is none, or out of it; return whose it changed.

    Errors: MayNotEdit, NoSuchAccount; nothing is written then.
    """
    with transaction.atomic():
        rows = _locked(account_ids)
        groups = groups_of([pk for pk, _, _ in rows])
        regrouped = {
            pk: (before, before | {name} if is_in else before - {name})
            for pk, _, _ in rows
            if (name in (before := groups.get(pk, frozenset()))) != is_in
        }
        record(_regroup(regrouped, actor, now))
    return [alias for pk, alias, _ in rows if pk in regrouped]


def set_members(*, name: str, account_ids: Collection[UUID], actor: str, now: datetime) -> int:
    """Let a group, made if there is none, hold these accounts and no others; return its key.

    Errors: MayNotEdit, NoSuchAccount; nothing is written then.
    """
    with transaction.atomic():
        group, is_new = AccountGroup.objects.get_or_create(name=name)
        if is_new:
            record([event(group, "group", at=now, new=name[:40], actor=actor)])
        before = set(our_accounts().filter(groups=group).values_list("pk", flat=True))
        after = set(account_ids)
        for ids, is_in in ((after - before, True), (before - after, False)):
            group_accounts(account_ids=ids, name=name, is_in=is_in, actor=actor, now=now)
    return int(group.pk)


def _locked(account_ids: Collection[UUID]) -> list[tuple[UUID, str, bool]]:
    """Return key, alias and switch of these accounts, locked, in grid order."""
    rows = our_accounts().filter(pk__in=account_ids).select_for_update(of=("self",))
    found = list(rows.values_list("pk", "alias", "is_active"))
    if len(found) < len(set(account_ids)):
        raise NoSuchAccount("There is no such account")
    return found


def _check_may_switch_on(account_ids: Collection[UUID]) -> None:
    """Refuse to take accounts into broadcasts while nothing may be sent there."""
    rules = mode_rules()
    groups = groups_of(account_ids) if rules else {}
    for pk in account_ids:
        is_in = groups.get(pk, frozenset())
        rule = strictest(rules, account_id=str(pk), groups=is_in, underlying="")
        if rule is None or rule.mode != Mode.FROZEN:
            continue
        if rule.scope == ModeScope.GATE:
            raise MayNotEdit(f"Nothing is switched on while trading is closed. {rule.words}")
        raise MayNotEdit(
            f"Nothing is switched on while it is frozen. {rule.words} Open it under Modes first."
        )


def _regroup(regrouped: Mapping[UUID, _Groups], actor: str, now: datetime) -> list[AuditEvent]:
    """Change the groups of accounts, before and after by account; return the events of it."""
    gone = {(pk, name) for pk, (before, after) in regrouped.items() for name in before - after}
    new = {(pk, name) for pk, (before, after) in regrouped.items() for name in after - before}
    _check_may_leave({name for _, name in gone})
    names = {name for _, name in new}
    AccountGroup.objects.bulk_create(
        [AccountGroup(name=one) for one in names], ignore_conflicts=True
    )
    keys = dict(AccountGroup.objects.filter(name__in=names).values_list("name", "pk"))
    members = AccountGroup.members.through
    joined = [members(account_id=pk, accountgroup_id=keys[name]) for pk, name in new]
    members.objects.bulk_create(joined, ignore_conflicts=True)
    kept = members.objects.filter(
        account__in={pk for pk, _ in gone}, accountgroup__name__in={name for _, name in gone}
    )
    pairs = kept.values_list("pk", "account_id", "accountgroup__name")
    members.objects.filter(pk__in=[pk for pk, *pair in pairs if tuple(pair) in gone]).delete()
    return [
        _event(pk, "groups", ", ".join(sorted(before)), ", ".join(sorted(after)), actor, now)
        for pk, (before, after) in regrouped.items()
        if before != after
    ]


def _check_may_leave(names: Collection[str]) -> None:
    """Refuse to take accounts out of groups of which a mode is in force."""
    for rule in mode_rules() if names else ():
        if rule.scope == ModeScope.GROUP and rule.target in names:
            words = f"It stays in {rule.target}: leaving would loosen what is in force."
            raise MayNotEdit(f"{words} {rule.words} Open the group under Modes first.")


def _event(
    account_id: UUID, name: str, old: object, new: object, actor: str, now: datetime
) -> AuditEvent:
    words = {"old": str(old)[:40], "new": str(new)[:40]}
    return event(f"account:{account_id}", name, at=now, actor=actor, **words)
