"""Walk the chain over the record, and name the first row that was changed or removed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services.sealing import verify_chain


class Command(BaseCommand):
    help = "Verify the record: name the first event that was changed or removed after sealing."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify_chain()
        if verdict.broken is not None:
            broken = verdict.broken
            raise CommandError(
                f"The record is broken at link {broken.number}, event {broken.event_id}: "
                f"{broken.words} The {verdict.links} links before it hold."
            )
        waiting = f", {verdict.unsealed} events wait for their seal" if verdict.unsealed else ""
        self.stdout.write(f"{verdict.links} links hold{waiting}. Head: {verdict.head}")
