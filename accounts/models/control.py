"""Trading modes, guard limits, alarms, and which installation this is."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.domain.words import Mode, ModeScope, choices


class TradingMode(models.Model):
    """The mode somebody set for the fleet, a group, an account or an underlying.

    `target` is empty for the fleet, else the group's name, the account's id or the underlying.
    """

    scope = models.CharField(max_length=10, choices=choices(ModeScope))
    target = models.CharField(max_length=60, blank=True)
    mode = models.CharField(max_length=10, choices=choices(Mode), default=Mode.OPEN)
    why = models.CharField(max_length=200, blank=True)
    who = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "target"], name="one_mode_per_target")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.target} {self.mode}"


class Limit(models.Model):
    """A number of the pre-trade guards that an admin edits."""

    name = models.CharField(max_length=40, unique=True)
    value = models.DecimalField(max_digits=16, decimal_places=4)
    about = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class Alarm(models.Model):
    """Something a person must look at and acknowledge; `told_at` is when it was last sent out."""

    code = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    words = models.CharField(max_length=300)
    raised_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    times_told = models.PositiveIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )

    class Meta:
        indexes = [models.Index(fields=["acknowledged_at", "raised_at"], name="alarms_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "subject"],
                condition=Q(acknowledged_at__isnull=True),
                name="one_open_alarm_per_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"


class Instance(models.Model):
    """Which deployment last ran on this database; one row.

    Args:
        host: which machine that was.
        database: which database it believed this to be.
        home: which folder of its own it had.
        run: a new one at every start of the deployment; `pulse` counts on while it runs.
    """

    host = models.CharField(max_length=120)
    database = models.CharField(max_length=120)
    home = models.CharField(max_length=120, blank=True, default="")
    run = models.UUIDField(default=uuid4)
    pulse = models.PositiveBigIntegerField(default=0)
    pulsed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.host
