"""Write an encrypted backup of the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tradeswim.backup import keeping
from tradeswim.backup.archive import BadBackup


class Command(BaseCommand):
    help = "Write an encrypted backup of the database; keys are never in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=settings.BACKUP_FOLDER)
        parser.add_argument("--keep", type=int, default=30, help="how many are kept")
        parser.add_argument("--make-key", type=Path, help="write a new key to this file, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if path := options["make_key"]:
                keeping.make_key(path)
                self.stdout.write(
                    f"Wrote {path}. Keep a copy where no backup and no server is: without it no "
                    "backup can be opened."
                )
                return
            made = keeping.back_up(
                options["folder"],
                key_file=settings.BACKUP_KEY_FILE,
                keep=max(options["keep"], 1),
                now=timezone.now(),
            )
        except (BadBackup, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Wrote {made}, {made.stat().st_size} bytes.")
