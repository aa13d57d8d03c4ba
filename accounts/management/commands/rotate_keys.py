"""Put a new data key in force and re-encrypt every secret under it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.domain.envelope import BadKeyRing, CannotOpen
from accounts.services.keys import add_key, count_by_key, seal_again

LONGEST_WRITE_S = 25.0  # a writer waits for the database at most 20 s


class Command(BaseCommand):
    help = "Add a data key, re-encrypt every secret under it, and drop the keys left unused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only-again",
            action="store_true",
            help="add no key: go on with a rotation that was interrupted",
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=LONGEST_WRITE_S,
            help="seconds until no writer can still hold something sealed under the old key",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if not options["only_again"]:
                self.stdout.write(f"Key {add_key()} seals from now on.")
            rotation = seal_again(wait_s=options["wait"])
            counts = count_by_key()
        except (BadKeyRing, CannotOpen) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{rotation.sealed_again} values sealed again, {rotation.passed_over} were newer. "
            f"Retired: {', '.join(rotation.retired) or 'none'}. "
            f"In use: {', '.join(f'{name} ({n})' for name, n in sorted(counts.items()))}."
        )
