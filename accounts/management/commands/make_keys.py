"""Make the key file of a new installation."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.domain.envelope import BadKeyRing
from accounts.services.keys import make_first_keys


class Command(BaseCommand):
    help = "Make the key file of a new installation; an existing one is never replaced."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            is_new = make_first_keys()
        except BadKeyRing as error:
            raise CommandError(str(error)) from None
        if not is_new:
            raise CommandError(f"{settings.KEY_FILE} exists already; nothing was changed.")
        self.stdout.write(f"Made {settings.KEY_FILE}. Back it up apart from the database.")
