"""Users as an admin keeps them: made, given a role or a password, switched off, never removed."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.domain.words import Role
from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.session_ends import BY_ADMIN, NEWLY_SET, end_all_sessions

HOST = "host"


class LastAdmin(Exception):
    """Without this admin nobody could administer any more."""


class NameTaken(ValueError):
    """There is a user of this name, be it in other letters."""


class BadPassword(ValueError):
    """A password that the validators refuse; its text says why."""


def create_user(*, name: str, role: Role, password: str, actor: str, now: datetime) -> User:
    """Make a user who may sign in.

    Errors: NameTaken, BadPassword; nothing is written then.
    """
    user = User(username=User.normalize_username(name), role=role)
    _check_password(password, user)
    if User.objects.filter(username__iexact=user.username).exists():
        raise NameTaken(f"There is a user {user.username} already.")
    user.set_password(password)
    with transaction.atomic():
        user.save(force_insert=True)
        record([event(user, "user", at=now, new=role, actor=actor, data={"name": user.username})])
    return user


def change_user(
    *, user_id: int, role: Role, is_active: bool, actor: str, now: datetime
) -> list[str]:
    """Give a user a role, and switch him on or off; return the names of what really changed.

    Errors: LastAdmin; nothing is written then.
    """
    wanted = {"role": role.value, "is_active": is_active}
    with transaction.atomic():
        admins = _locked_admins()
        user = User.objects.select_for_update().get(pk=user_id)
        if admins == [user_id] and not (role == Role.ADMIN and is_active):
            raise LastAdmin(f"{user.username} is the last admin. Make another one first.")
        before = {name: getattr(user, name) for name in wanted}
        changed = [name for name in wanted if before[name] != wanted[name]]
        for name in changed:
            setattr(user, name, wanted[name])
        if changed:
            user.save(update_fields=changed)
        if "is_active" in changed:
            end_all_sessions(user, actor=actor, reason=BY_ADMIN, now=now)
        record(
            event(user, name, at=now, old=str(before[name]), new=str(wanted[name]), actor=actor)
            for name in changed
        )
    return changed


def replace_password(*, user_id: int, password: str, actor: str, now: datetime) -> None:
    """Give a user another password; whatever he had open ends with the old one.

    Errors: BadPassword; nothing is written then.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        _check_password(password, user)
        user.set_password(password)
        user.save(update_fields=["password"])
        end_all_sessions(user, actor=actor, reason=NEWLY_SET, now=now)
        record([event(user, "password set", at=now, actor=actor)])


def ensure_admin(*, name: str, password: str, now: datetime) -> bool:
    """Make the first admin of an installation; False if there is an active one already.

    Errors: NameTaken, BadPassword; nothing is written then.
    """
    with transaction.atomic():
        if _locked_admins():
            return False
        create_user(name=name, role=Role.ADMIN, password=password, actor=HOST, now=now)
    return True


def why_no_password(password: str, user: User | None = None) -> str:
    """Say why the validators refuse a password, or nothing."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _check_password(password: str, user: User) -> None:
    if words := why_no_password(password, user):
        raise BadPassword(words)


def _locked_admins() -> list[int]:
    """Return the active admins, locked, so that two of them cannot switch each other off."""
    rows = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True)
    return list(rows.order_by("pk").values_list("pk", flat=True))
