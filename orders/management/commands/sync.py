"""Run one beat now, from the command line; it needs the database and the broker, no queue."""

import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.domain.beats import NAMES, Beat
from accounts.models import BrokerLogin
from accounts.services.balance_beat import run_accounts_beat
from accounts.services.balances import BalanceRead
from accounts.services.beat_lock import BeatBusy
from accounts.services.beat_runs import flush_days
from brokerage.transport import process_gateway
from orders.services.order_beats import run_order_beat
from orders.services.order_reads import Polled
from orders.services.sync_costs import sync_cost


class Command(BaseCommand):
    help = "Read everything that a beat reads once, now, and say what it found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("beat", choices=[beat.lower() for beat in Beat])

    def handle(self, *args: Any, **options: Any) -> None:
        beat = Beat(options["beat"].upper())
        self.stdout.write(f"{NAMES[beat]}. {sync_cost(beat)}")
        try:
            self._run(beat)
        except BeatBusy as error:
            raise CommandError(f"{error} Try again in a moment.") from None
        finally:
            flush_days()

    def _run(self, beat: Beat) -> None:
        gateway = process_gateway()
        if beat is Beat.ACCOUNTS:
            done = run_accounts_beat(gateway=gateway, at_once=True, progress=self._show_accounts)
            report = f"{done.read} accounts read, {done.changed} changed"
            self._report(report, done.calls, done.silent, done.put_off)
        else:
            polled = run_order_beat(beat, gateway=gateway, at_once=True, progress=self._show_orders)
            report = f"{polled.watched} working orders, {polled.changed} changed"
            self._report(report, polled.calls, polled.silent, polled.put_off)

    def _show_orders(self, polled: Polled) -> None:
        self._show(f"{len(polled.read)} of {len(polled.asked)} logins read")

    def _show_accounts(self, done: BalanceRead) -> None:
        self._show(f"{done.read} accounts read")

    def _show(self, words: str) -> None:
        """Tell a terminal how far it is; a file needs no such lines."""
        if sys.stdout.isatty():
            self.stdout.write(f"\r{words}", ending="")

    def _report(self, words: str, calls: int, silent: dict[UUID, str], put_off: set[UUID]) -> None:
        self._show("")
        self.stdout.write(f"{words}, {calls} requests.")
        labels = dict(BrokerLogin.objects.values_list("pk", "label"))
        for login_id, why in silent.items():
            self.stdout.write(f"  {labels[login_id]}: {why}")
        if put_off:
            names = ", ".join(sorted(labels[login_id] for login_id in put_off))
            self.stdout.write(f"Not asked, for their request budget is spent: {names}")
