"""Open the start-up gate: when the start is finished, or because an agent says so."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.utils import timezone

from accounts.models import User
from accounts.services import gate
from brokerage.transport import process_gateway
from orders.services.starting import Opening, try_to_open

TRY_EVERY_S = 2.0


class Command(BaseCommand):
    help = "Read what the start still has to read and open the gate; says what it waits for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", action="store_true", help="try until it is open")
        parser.add_argument("--by", metavar="AGENT", help="open it now, in this agent's name")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["by"]:
            gate.open_gate(now=timezone.now(), by=_agent(options["by"]))
        said = ""
        while not (opening := self._try()).is_open:
            if not options["wait"]:
                raise CommandError(_words(opening))
            if (words := _words(opening)) != said:
                self.stdout.write(said := words)
            time.sleep(TRY_EVERY_S)
        self.stdout.write("Trading is open.")

    def _try(self) -> Opening:
        try:
            return try_to_open(gateway=process_gateway(), now=timezone.now())
        except Error as error:
            connection.close()
            return Opening(is_open=False, words=f"The database does not answer: {error}")


def _words(opening: Opening) -> str:
    missing = f" Still {opening.missing}" if opening.is_held and opening.missing else ""
    return f"Trading is closed. {opening.words}{missing}"


def _agent(name: str) -> User:
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None or not user.may_trade:
        raise CommandError(f"{name} is no user who may trade.")
    return user
