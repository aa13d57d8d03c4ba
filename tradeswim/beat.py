"""The beat's scheduler: the schedule in code, with the periods that an admin set."""

from collections.abc import Mapping
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from accounts.services.schedules import periods_that_were_set
from tradeswim.schedule import every


class Scheduler(DatabaseScheduler):
    """Writes the schedule in code to the database at its start, but keeps what was set there."""

    def update_from_dict(self, mapping: Mapping[str, Mapping[str, Any]]) -> None:
        kept = periods_that_were_set()
        super().update_from_dict(
            {
                name: every(entry["task"], kept[name]) if name in kept else entry
                for name, entry in mapping.items()
            }
        )
