"""Start the whole installation with one command, and stop it with one Ctrl-C."""

from typing import Any

from django.core.management.base import BaseCommand

from tradeswim.up.running import main


class Command(BaseCommand):
    help = "Start paper broker, Redis, web, workers, beat and sweeper; Ctrl-C stops them all."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        main()
