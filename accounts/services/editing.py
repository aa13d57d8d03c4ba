"""Change what an agent may change of accounts: name, switch, multiplier, groups."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.modes import strictest
from accounts.domain.refusals import NothingDone
from accounts.domain.words import Mode, ModeScope
from accounts.models import Account, AccountGroup, AuditEvent
from accounts.selectors import groups_of, mode_rules, our_accounts
from accounts.services.audit import event, record

COLUMNS = frozenset({"alias", "is_active", "multiplier"})
EDITABLE = COLUMNS | {"groups"}
LONGEST_NAME = 60


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
            events += _regroup(account_id, is_in, set(changes["groups"]), actor, now)
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
        changed, events = [], list[AuditEvent]()
        for pk, alias, _ in rows:
            before = groups.get(pk, frozenset())
            after = before | {name} if is_in else before - {name}
            if after != before:
                changed.append(alias)
                events += _regroup(pk, before, after, actor, now)
        record(events)
    return changed


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


def _regroup(
    account_id: UUID, before: Collection[str], after: Collection[str], actor: str, now: datetime
) -> Iterator[AuditEvent]:
    """Change the groups of an account; yield the event of it."""
    gone, new = set(before) - set(after), set(after) - set(before)
    for rule in mode_rules() if gone else ():
        if rule.scope == ModeScope.GROUP and rule.target in gone:
            words = f"It stays in {rule.target}: leaving would loosen what is in force."
            raise MayNotEdit(f"{words} {rule.words} Open the group under Modes first.")
    AccountGroup.objects.bulk_create([AccountGroup(name=one) for one in new], ignore_conflicts=True)
    members = AccountGroup.members.through
    members.objects.filter(account_id=account_id, accountgroup__name__in=gone).delete()
    found = AccountGroup.objects.filter(name__in=new).values_list("pk", flat=True)
    rows = [members(account_id=account_id, accountgroup_id=pk) for pk in found]
    members.objects.bulk_create(rows, ignore_conflicts=True)
    if gone or new:
        old_words, new_words = (", ".join(sorted(names)) for names in (before, after))
        yield _event(account_id, "groups", old_words, new_words, actor, now)


def _event(
    account_id: UUID, name: str, old: object, new: object, actor: str, now: datetime
) -> AuditEvent:
    words = {"old": str(old)[:40], "new": str(new)[:40]}
    return event(f"account:{account_id}", name, at=now, actor=actor, **words)
