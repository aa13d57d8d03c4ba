"""Let the browser sign in at the broker for one login, once."""

import functools
import os
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import BrokerLogin
from accounts.services.browser_sign_in import MayNotTry, sign_in_by_browser


class Command(BaseCommand):
    help = "Sign in at the broker with a browser for one login: one attempt, then stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("login", help="its id, or its label")

    def handle(self, *args: Any, **options: Any) -> None:
        # Loaded here alone: no other process of the installation needs a browser.
        from brokerage.browser_login.walking import walk

        path = None if settings.BROWSER == "playwright" else settings.BROWSER
        os.environ.pop("DEBUG", None)  # Playwright would log what it types
        send_out = functools.partial(
            walk,
            browser_path=path,
            is_headed=settings.BROWSER_IS_HEADED,
            has_sandbox=os.geteuid() != 0,  # Chromium has none for root
        )
        try:
            attempt = sign_in_by_browser(
                _login_id(options["login"]), walk=send_out, now=timezone.now()
            )
        except MayNotTry as error:
            raise CommandError(str(error)) from None
        if attempt.words:
            raise CommandError(f"{attempt.login.label}: {attempt.words}")
        self.stdout.write(f"{attempt.login.label} is connected.")


def _login_id(name: str) -> UUID:
    """Find a login by id or label. Errors: CommandError."""
    try:
        found = BrokerLogin.objects.filter(pk=UUID(name))
    except ValueError:
        found = BrokerLogin.objects.filter(label=name)
    login = found.first()
    if login is None:
        raise CommandError(f"There is no login {name}.")
    return login.pk
