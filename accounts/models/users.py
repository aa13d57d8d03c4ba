"""Who may sign in, and the refresh tokens of programs."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from accounts.domain.roles import Power, may
from accounts.domain.words import Density, Role, choices

_ADMIN = Role.ADMIN.value


class People(UserManager["User"]):
    """Makes users; nobody with powers beside his role."""

    def create_superuser(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("There are no superusers. Use: manage.py make_user NAME")


class User(AbstractUser):
    """Somebody who signs in: what he may do, and how he likes the desk.

    `single_keys` lets single letters act (WCAG 2.1.4 wants them switched off on demand);
    `one_click_exit` skips the confirmation of an exit, for a few seconds in which it can be undone.
    """

    role = models.CharField(max_length=12, choices=choices(Role), default=Role.VIEWER)
    single_keys = models.BooleanField(default=True)
    density = models.CharField(max_length=7, choices=choices(Density), default=Density.COMPACT)
    one_click_exit = models.BooleanField(default=False)

    objects: ClassVar[People] = People()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(role=Role.ADMIN, is_staff=True)
                | ~Q(role=Role.ADMIN) & Q(is_staff=False),
                name="staff_are_the_admins",
            ),
            models.CheckConstraint(condition=Q(is_superuser=False), name="nobody_is_superuser"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Let Django's own flags follow the role: nothing of ours asks them."""
        self.is_staff, self.is_superuser = self.role == Role.ADMIN, False
        if (fields := kwargs.get("update_fields")) is not None and "role" in fields:
            kwargs["update_fields"] = {*fields, "is_staff", "is_superuser"}
        super().save(*args, **kwargs)

    def may(self, power: Power) -> bool:
        """Tell whether he may do this; accounts/domain/roles.py says who may what."""
        return self.is_active and may(self.role, power)

    def get_session_auth_hash(self) -> str:
        """Return what every session must know: it is another one with other rights, too."""
        rights = (
            f"{super().get_session_auth_hash()} {self.role} {self.is_staff} {self.is_superuser}"
        )
        return salted_hmac("accounts.User.session", rights, algorithm="sha256").hexdigest()

    @property
    def may_trade(self) -> bool:
        return self.may(Power.TRADE)

    @property
    def may_freeze(self) -> bool:
        """Whether he may set a stricter mode; only who may trade may set a looser one."""
        return self.may(Power.FREEZE)

    @property
    def may_exit(self) -> bool:
        """Whether he may close positions and cancel orders."""
        return self.may(Power.EXIT)

    @property
    def may_sync(self) -> bool:
        return self.may(Power.SYNC)

    @property
    def may_administer(self) -> bool:
        return self.may(Power.ADMINISTER)


class ApiRefresh(models.Model):
    """One refresh token of a program's session; used once, then replaced."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_refreshes")
    session_key = models.CharField(max_length=40, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"refresh of {self.user_id}"
