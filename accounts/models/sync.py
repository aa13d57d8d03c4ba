"""What the beats did, a row per day and beat."""

from django.db import models

from accounts.domain.beats import Beat
from accounts.domain.words import choices


class BeatDay(models.Model):
    """Runs of one beat on one day, added up; written at most once a minute by each process.

    Args:
        on: the day at the exchange.
        good_at: when the last run ended that read whatever it asked for.
        every_order, every_working, every_account: calls that simpler ways would have made.
    """

    on = models.DateField()
    beat = models.CharField(max_length=8, choices=choices(Beat))
    runs = models.PositiveIntegerField(default=0)
    good_at = models.DateTimeField(null=True)
    calls = models.PositiveBigIntegerField(default=0)
    every_order = models.PositiveBigIntegerField(default=0)
    every_working = models.PositiveBigIntegerField(default=0)
    every_account = models.PositiveBigIntegerField(default=0)
    points_read = models.PositiveBigIntegerField(default=0)
    points_kept = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["on", "beat"], name="one_row_per_beat_day")]

    def __str__(self) -> str:
        return f"{self.beat} {self.on}"


class UptimeDay(models.Model):
    """The minutes of one day in which a process, a queue or everything together was there.

    Args:
        on: the day at the exchange.
        first_at, counted_at: the first and the last minute that was counted.
    """

    on = models.DateField()
    name = models.CharField(max_length=20)
    minutes = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["on", "name"], name="one_row_per_uptime_day")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.on}"
