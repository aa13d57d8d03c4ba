"""Say GO or NO-GO for the day, with every reason."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from orders.management.agents import find_agent
from orders.management.round_trip import round_trip
from orders.selectors.preflight import preflight, verdict
from orders.services.broker_clock import clock_check
from orders.tasks.health import queue_part


class Command(BaseCommand):
    help = "Look at everything that the day needs: one GO or NO-GO, with reasons."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agent", help="in whose name the paper order is sent")
        parser.add_argument("--no-order", action="store_true", help="send no paper order")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = [*preflight(queue=queue_part(), now=timezone.now()), clock_check()]
        if not options["no_order"]:
            checks.append(round_trip(find_agent(options["agent"])))
        width = max(len(check.name) for check in checks)
        for check in checks:
            sign = "go   " if check.is_go else "NO-GO"
            self.stdout.write(f"{sign}  {check.name:<{width}}  {check.words}")
        said = verdict(checks)
        self.stdout.write(said)
        if said != "GO":
            sys.exit(1)
