"""Prepare an installation for its first order: keys, agent, and the paper fleet's logins."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.selectors import fleet_numbers
from accounts.services.balances import sync_accounts
from accounts.services.connecting import connect_paper_fleet
from accounts.services.keys import make_first_keys
from accounts.services.people import set_agent
from brokerage.errors import BrokerError
from brokerage.paper_control import PaperControl
from brokerage.transport import process_gateway


class Command(BaseCommand):
    help = "Make keys and the agent's user, and connect the paper broker's logins; run it again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agent", default="agent", help="user name; AGENT_PASSWORD is its key")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("AGENT_PASSWORD", "")
        if not password:
            raise CommandError("AGENT_PASSWORD is not set.")
        make_first_keys()
        set_agent(name=options["agent"], password=password, now=timezone.now())
        if settings.ENVIRONMENT == "PAPER":
            self._connect()

    def _connect(self) -> None:
        try:
            connected = connect_paper_fleet(PaperControl(settings.PAPER_URL), now=timezone.now())
        except BrokerError as error:
            sys.exit(f"The paper fleet could not be connected: {error}")
        sync_accounts(gateway=process_gateway(), now=timezone.now())
        fleet = fleet_numbers()
        self.stdout.write(
            f"{fleet.accounts} accounts under {fleet.logins} logins, {connected} newly connected, "
            f"value ${fleet.value:,.2f}"
        )
