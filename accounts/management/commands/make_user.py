"""Make a user, or give one a new password: what no page does for somebody who cannot sign in."""

import os
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.words import Role
from accounts.models import User
from accounts.services.users import (
    HOST,
    BadPassword,
    LastAdmin,
    NameTaken,
    change_user,
    create_user,
    replace_password,
)


class Command(BaseCommand):
    help = "Make a user. The password is asked for, or taken from USER_PASSWORD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", choices=[role.value for role in Role])
        parser.add_argument(
            "--again",
            action="store_true",
            help="the user is there: give a new password, switch him on, and change a given role",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, role = options["name"], options["role"]
        try:
            if options["again"]:
                self._change(name, role)
            else:
                self._make(name, role)
        except (BadPassword, LastAdmin, NameTaken) as error:
            raise CommandError(str(error)) from None

    def _make(self, name: str, role: str | None) -> None:
        if role is None:
            raise CommandError("Say with --role what the user may do.")
        password = _password()
        create_user(name=name, role=Role(role), password=password, actor=HOST, now=timezone.now())
        self.stdout.write(f"{name} may sign in as {role}.")

    def _change(self, name: str, role: str | None) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name}.")
        now, kept = timezone.now(), Role(role or user.role)
        replace_password(user_id=user.pk, password=_password(), actor=HOST, now=now)
        change_user(user_id=user.pk, role=kept, is_active=True, actor=HOST, now=now)
        self.stdout.write(f"{name} may sign in as {kept}, with the new password.")


def _password() -> str:
    """Return what the environment says, else what is typed twice. Errors: CommandError."""
    if given := os.environ.get("USER_PASSWORD", ""):
        return given
    if not sys.stdin.isatty():
        raise CommandError("USER_PASSWORD is not set, and nobody is here to be asked.")
    password = getpass()
    if password != getpass("Again: "):
        raise CommandError("The two passwords are not the same. Nothing was changed.")
    return password
