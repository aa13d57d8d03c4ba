"""Users: who may sign in, with which role."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.domain.words import Role
from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.session_ends import NEWLY_SET, end_all_sessions


def set_agent(*, name: str, password: str, now: datetime) -> User:
    """Make sure that an agent of this name exists and signs in with this password."""
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(username=name, defaults={"role": Role.AGENT})
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
            record([event(user, "password set", at=now, new="new user" if is_new else "")])
            end_all_sessions(user, actor="", reason=NEWLY_SET, now=now)
    return user


# What a user sets for himself.
PREFERENCES = frozenset({"single_keys", "density", "one_click_exit"})


def set_preferences(user: User, changes: Mapping[str, Any], *, now: datetime) -> list[str]:
    """Write how a user likes his desk; return the names of what really changed.

    Args:
        changes: checked values, by the names of PREFERENCES.
    """
    if unknown := set(changes) - PREFERENCES:
        raise ValueError(f"Not for a user to set: {sorted(unknown)}")
    changed = sorted(name for name, value in changes.items() if getattr(user, name) != value)
    if not changed:
        return []
    before = {name: str(getattr(user, name)) for name in changed}
    for name in changed:
        setattr(user, name, changes[name])
    with transaction.atomic():
        user.save(update_fields=changed)
        record(
            event(user, name, at=now, old=old, new=str(changes[name]), actor=user.get_username())
            for name, old in before.items()
        )
    return changed
