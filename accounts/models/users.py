"""Who may sign in, and the refresh tokens of programs."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from accounts.domain.words import Density, Role, choices


class User(AbstractUser):
    """Somebody who signs in: what he may do, and how he likes the desk.

    `single_keys` lets single letters act (WCAG 2.1.4 wants them switched off on demand);
    `one_click_exit` skips the confirmation of an exit, for a few seconds in which it can be undone.
    """

    role = models.CharField(max_length=12, choices=choices(Role), default=Role.VIEWER)
    single_keys = models.BooleanField(default=True)
    density = models.CharField(max_length=7, choices=choices(Density), default=Density.COMPACT)
    one_click_exit = models.BooleanField(default=False)

    @property
    def may_trade(self) -> bool:
        return self.is_active and self.role in {Role.AGENT, Role.ADMIN}

    @property
    def may_freeze(self) -> bool:
        """Whether he may set a stricter mode; only who may trade may set a looser one."""
        return self.may_exit

    @property
    def may_exit(self) -> bool:
        """Whether he may close positions and cancel orders."""
        return self.may_trade or (self.is_active and self.role == Role.EXIT_ONLY)


class ApiRefresh(models.Model):
    """One refresh token of a program's session; used once, then replaced."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_refreshes")
    session_key = models.CharField(max_length=40, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"refresh of {self.user_id}"
