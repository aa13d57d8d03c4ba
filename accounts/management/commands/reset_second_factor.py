"""Take the second factors from a user who lost them; only somebody on the host can."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from accounts.services.resetting import reset_second_factor


class Command(BaseCommand):
    help = (
        "Take app, passkeys and recovery codes from a user who lost them, after making sure in "
        "person who asks. He then signs in with his password, and sets up new ones."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the name he signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user called {options['user']}.")
        gone = reset_second_factor(user, now=timezone.now())
        self.stdout.write(f"{user.get_username()}: {gone} removed. His sessions are ended.")
