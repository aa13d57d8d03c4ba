"""Start the whole installation with one command, and stop it with one Ctrl-C."""

import asyncio
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from tradeswim.up.home import CannotStart
from tradeswim.up.running import run_everything


class Command(BaseCommand):
    help = "Start paper broker, Redis, web, workers, beat and sweeper; Ctrl-C stops them all."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        try:
            code = asyncio.run(run_everything(dict(os.environ), say=self.stdout.write))
        except CannotStart as error:
            sys.exit(f"Cannot start: {error}")
        sys.exit(code)
