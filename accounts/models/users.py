"""Who may sign in, and the refresh tokens of programs."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from accounts.domain.words import Role, choices


class User(AbstractUser):
    role = models.CharField(max_length=12, choices=choices(Role), default=Role.VIEWER)

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
