"""The sessions of pages and programs: one row is both the session and its line in the list."""

from typing import Any

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from accounts.domain.words import SessionKind, choices
from accounts.models.users import User

# What saving a session writes: never how long it lasts without use, nor where it was begun.
SAVED_AGAIN = ("session_data", "user", "kind", "proof", "began_at", "ends_at")


class UserSession(AbstractBaseSession):
    """Somebody's session; it is over from `expire_date` on, or when its row is gone.

    `session_key` opens it and is shown to nobody. `ends_at` is fixed at the sign-in. A page that is
    not used ends before: each use moves `expire_date`, never past `ends_at`. `proof` is the digest
    of the user's password and rights at the sign-in: another one of the user's ends the session.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    kind = models.CharField(max_length=4, choices=choices(SessionKind), default=SessionKind.PAGE)
    proof = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    began_at = models.DateTimeField()
    used_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"session of {self.user_id}"

    def save(self, *args: Any, **options: Any) -> None:
        if options.get("force_update"):
            options["update_fields"] = SAVED_AGAIN
        super().save(*args, **options)
