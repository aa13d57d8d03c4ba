"""The accounts app."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate
from django.utils import timezone


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        post_migrate.connect(_seed, sender=self, dispatch_uid="accounts.limits")
        user_logged_in.connect(_begin_session, dispatch_uid="accounts.sign-in")
        user_logged_out.connect(_end_session, dispatch_uid="accounts.sign-out")


def _seed(sender: AppConfig, *, using: str, **facts: Any) -> None:
    """Give a database that was just migrated, or emptied, the limits an admin may edit."""
    migrated = facts.get("apps")
    if migrated is not None and "limit" not in migrated.all_models["accounts"]:
        return  # migrated backwards, to before there were any
    from accounts.services.limits import ensure_limits

    ensure_limits(using)


def _begin_session(sender: object, *, request: Any, user: Any, **facts: Any) -> None:
    """Every way to sign in comes by here: the session begins, and he has just proved himself."""
    from accounts.services.page_sessions import begin_page_session
    from accounts.services.proving import note_proof

    begin_page_session(request.session, user, now=timezone.now())
    note_proof(request.session, None, now=timezone.now())


def _end_session(sender: object, *, user: Any, **facts: Any) -> None:
    from accounts.services.page_sessions import record_sign_out

    if user is not None:
        record_sign_out(user, now=timezone.now())
