"""Put a backup in the place of the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.envelope import BadKeyRing
from accounts.services.instances import RunsElsewhere
from tradeswim.backup import keeping
from tradeswim.backup.archive import BadBackup


class Command(BaseCommand):
    help = "Restore a backup while nothing runs; the next start is held until an agent opens it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path)
        parser.add_argument("--over", action="store_true", help="lose the database that is there")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            header = keeping.restore(
                options["backup"],
                key_file=settings.BACKUP_KEY_FILE,
                over=options["over"],
                now=timezone.now(),
            )
        except (BadBackup, RunsElsewhere, BadKeyRing, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Restored the backup of {header.made_at}. Start as ever: nothing is sent until an "
            "agent has looked at the orders and opened trading."
        )
