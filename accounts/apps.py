"""The accounts app."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate
from django.http import HttpRequest
from django.utils import timezone


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        post_migrate.connect(_seed, sender=self, dispatch_uid="accounts.limits")
        user_logged_in.connect(_note_proof, dispatch_uid="accounts.proved_at")


def _seed(sender: AppConfig, *, using: str, **facts: Any) -> None:
    """Give a database that was just migrated, or emptied, the limits an admin may edit."""
    migrated = facts.get("apps")
    if migrated is not None and "limit" not in migrated.all_models["accounts"]:
        return  # migrated backwards, to before there were any
    from accounts.services.limits import ensure_limits

    ensure_limits(using)


def _note_proof(sender: Any, *, request: HttpRequest, **facts: Any) -> None:
    """Keep when whoever has just signed in proved who he is, whichever door let him in."""
    from accounts.services.proving import note_proof

    note_proof(request.session, None, now=timezone.now())
