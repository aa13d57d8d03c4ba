"""End everything a user is signed in with: his pages, his programs, at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.services.modes import HOST
from accounts.services.session_ends import BY_HOST, end_all_sessions


class Command(BaseCommand):
    help = "End all sessions of a user, pages and programs; they are dead at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}.")
        ended = end_all_sessions(user, actor=HOST, reason=BY_HOST, now=timezone.now())
        self.stdout.write(f"Sessions of {user.get_username()} ended: {ended}.")
