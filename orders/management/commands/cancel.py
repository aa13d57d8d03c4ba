"""Cancel a broadcast from the command line; it needs the database and the broker, no queue."""

import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from brokerage.transport import process_gateway
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.lifecycle import TERMINAL
from orders.management.report import Progress, write_report
from orders.selectors.showing import Broadcast, find_broadcast
from orders.services.canceling import Asked, ask_cancel_of_order, send_cancels

BY = "operator"
PAUSE_S = 0.5


class Command(BaseCommand):
    help = "Cancel what works of a broadcast, in all accounts or some, and say what became of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("order", type=int, help="the broadcast's number")
        parser.add_argument("--accounts", help="comma-separated account ids; else all")
        parser.add_argument(
            "--wait", type=float, default=15, metavar="S", help="how long to watch, seconds"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = _ask(options["order"], options["accounts"])
        self.stdout.write(
            f"{len(asked.unsent)} not sent any more, {len(asked.asked)} being canceled."
        )
        self._watch(options["order"], asked, options["wait"])
        write_report(self.stdout, find_broadcast(options["order"]), page=None)

    def _watch(self, order_id: int, asked: Asked, wait_s: float) -> None:
        """Send what is due until nothing of it works any more or the time is over."""
        progress = Progress(self.stdout)
        until = timezone.now().timestamp() + wait_s
        while True:
            send_cancels(gateway=process_gateway(), ids=asked.asked)
            broadcast = find_broadcast(order_id)
            if broadcast is None or progress.show(broadcast) or _is_over(broadcast, asked):
                break
            if timezone.now().timestamp() > until:
                break
            time.sleep(PAUSE_S)
        progress.end()


def _ask(order_id: int, accounts: str | None) -> Asked:
    try:
        chosen = [UUID(one) for one in accounts.split(",")] if accounts else None
        return ask_cancel_of_order(order_id, chosen, by=BY, now=timezone.now())
    except (BadTicket, CannotControl) as error:
        raise CommandError(str(error)) from None
    except ValueError:
        raise CommandError(f"{accounts} is no list of account ids.") from None


def _is_over(broadcast: Broadcast, asked: Asked) -> bool:
    """Whether the orders that were to be canceled have ended; others may go on."""
    mine = [one for one in broadcast.accounts if one.child_id in asked.asked]
    return all(one.status in TERMINAL for one in mine)
