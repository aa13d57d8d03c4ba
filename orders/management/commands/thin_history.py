"""Thin what was read at the broker and grew old."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from orders.services.retention import thin_history


class Command(BaseCommand):
    help = "Thin old snapshots to one a day, and remove old orders made elsewhere, as every night."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, rows in thin_history(now=timezone.now()).items():
            self.stdout.write(f"{name:12}{rows:>8} rows removed")
