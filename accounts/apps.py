"""The accounts app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        post_migrate.connect(_seed, sender=self, dispatch_uid="accounts.limits")


def _seed(sender: AppConfig, *, using: str, **facts: Any) -> None:
    """Give a database that was just migrated, or emptied, the limits an admin may edit."""
    migrated = facts.get("apps")
    if migrated is not None and "limit" not in migrated.all_models["accounts"]:
        return  # migrated backwards, to before there were any
    from accounts.services.limits import ensure_limits

    ensure_limits(using)
