"""Change what an agent may change of an account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Account
from accounts.services.audit import event, record

EDITABLE = frozenset({"alias", "is_active", "multiplier"})


def edit_account(
    *, account_id: UUID, changes: Mapping[str, Any], actor: str, now: datetime
) -> None:
    """Write checked changes to an account, with one event each for what really changed."""
    if unknown := set(changes) - EDITABLE:
        raise ValueError(f"Not editable: {sorted(unknown)}")
    with transaction.atomic():
        before = Account.objects.select_for_update().values(*EDITABLE).get(pk=account_id)
        changed = {name: value for name, value in changes.items() if before[name] != value}
        if changed:
            Account.objects.filter(pk=account_id).update(**changed)
        record(
            event(
                f"account:{account_id}",
                name,
                at=now,
                old=str(before[name])[:40],
                new=str(value)[:40],
                actor=actor,
            )
            for name, value in changed.items()
        )
