"""Run the paper broker: a Schwab that needs neither network nor money."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from brokerage.paper.launch import Launch, serve
from brokerage.paper.seed import SeedOptions
from brokerage.paper.server import PortInUse
from brokerage.paper.state import BrokenState
from brokerage.supervision import notify


class Command(BaseCommand):
    help = "Run the paper broker until it is told to stop."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options; the environment has the defaults."""
        env = os.environ.get
        add = parser.add_argument
        add("--port", type=int, default=env("PAPER_PORT", "8182"), help="plain HTTP; TLS is next")
        add("--accounts", type=int, default=env("DEMO_ACCOUNTS", "45"))
        add("--accounts-per-login", type=int, default=env("DEMO_ACCOUNTS_PER_LOGIN", "1"))
        add("--account-type", choices=("MARGIN", "CASH"), default="MARGIN")
        add(
            "--state",
            type=Path,
            default=env("PAPER_STATE") or None,
            help="file that keeps the state",
        )
        add("--tls-dir", type=Path, default=settings.HOME / "paper-tls", help="certificates")
        add("--seed", type=int, default=1)
        add("--hours", choices=("always", "nyse"), help="when the market is open")
        add("--web-url", default=settings.WEB_URL, help="where the product's pages are")

    def handle(self, **options: Any) -> None:
        """Serve; a start that fails is told in one sentence."""
        if not (0 < options["port"] < 65_535 and options["accounts"] > 0):
            raise CommandError("The port must be below 65535, and there must be an account.")
        if options["accounts_per_login"] < 1:
            raise CommandError("A login must have at least one account.")
        try:
            serve(_launch(options), self._tell)
        except (PortInUse, BrokenState, OSError) as problem:
            raise CommandError(str(problem)) from problem

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
        notify()


def _launch(options: dict[str, Any]) -> Launch:
    seed = SeedOptions(
        accounts=options["accounts"],
        accounts_per_login=options["accounts_per_login"],
        seed=options["seed"],
        web_url=options["web_url"],
        is_margin=options["account_type"] == "MARGIN",
    )
    return Launch(
        seed=seed,
        port=options["port"],
        tls_folder=options["tls_dir"],
        state_file=options["state"],
        hours=options["hours"],
    )
