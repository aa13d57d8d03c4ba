"""Start an installation: database, keys, agent, the paper fleet, and the gate until all is read."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.envelope import BadKeyRing
from accounts.selectors import fleet_numbers
from accounts.services.balances import sync_accounts
from accounts.services.connecting import connect_paper_fleet
from accounts.services.instances import RunsElsewhere, database_to_ourselves
from accounts.services.keys import check_keys, make_first_keys
from accounts.services.people import set_agent
from accounts.services.users import BadPassword, NameTaken, ensure_admin
from brokerage.errors import BrokerError
from brokerage.paper_control import PaperControl
from brokerage.transport import process_gateway
from orders.services.starting import start_deployment, try_to_open
from tradeswim.up.plan import GATE_IS_CLOSED


class Command(BaseCommand):
    help = "Start the deployment, before its workers: nothing is sent until the gate opens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--agent", default="agent", help="user made with AGENT_PASSWORD, if set"
        )
        parser.add_argument(
            "--admin", default="admin", help="user name of the first admin; see ADMIN_PASSWORD"
        )
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date")
        parser.add_argument(
            "--exit-code", action="store_true", help=f"end with {GATE_IS_CLOSED} if it stays closed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("AGENT_PASSWORD", "")
        try:
            with database_to_ourselves():
                is_open = self._start(options, password)
        except (RunsElsewhere, BadKeyRing) as error:
            sys.exit(str(error))
        if options["exit_code"] and not is_open:
            sys.exit(GATE_IS_CLOSED)

    def _start(self, options: dict[str, Any], password: str) -> bool:
        if options["migrate"]:
            call_command("migrate", verbosity=0)
        make_first_keys()
        check_keys()
        start_deployment(now=timezone.now())
        if password:
            set_agent(name=options["agent"], password=password, now=timezone.now())
        self._make_first_admin(options["admin"])
        if settings.ENVIRONMENT == "PAPER":
            self._connect()
        opening = try_to_open(gateway=process_gateway(), now=timezone.now())
        if not opening.is_open:
            self.stdout.write(f"Trading is closed. {opening.words}")
        return opening.is_open

    def _make_first_admin(self, name: str) -> None:
        """Make an admin where ADMIN_PASSWORD is set and there is none; one that is there stays."""
        password = os.environ.get("ADMIN_PASSWORD", "")
        if not password:
            return
        try:
            if ensure_admin(name=name, password=password, now=timezone.now()):
                self.stdout.write(f"The first admin is {name}.")
        except (BadPassword, NameTaken) as error:
            raise CommandError(f"ADMIN_PASSWORD: {error}") from None

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
