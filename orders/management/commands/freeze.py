"""Freeze the fleet, or set another mode, from the command line of the host."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from accounts.models import User
from accounts.selectors.modes import get_mode
from accounts.services.modes import BadMode, Loosening
from orders.selectors.leaving import Left
from orders.services.freezing import Frozen, change_mode

SETTABLE = [scope.value for scope in ModeScope if scope != ModeScope.GATE]


class Command(BaseCommand):
    help = "Freeze the fleet at once (or set another mode) and say what that leaves behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--mode", choices=[mode.value for mode in Mode], default=Mode.FROZEN.value)
        add("--scope", choices=SETTABLE, default=ModeScope.FLEET.value)
        add("--target", default="", help="a group's name, an account's id, an underlying")
        add("--why", default="", help="else: from the host")
        add("--agent", help="user name of who does it; else it is the host")
        add("--yes-open", action="store_true", help="needed to allow what is forbidden now")

    def handle(self, *args: Any, **options: Any) -> None:
        wish = ModeRule(
            ModeScope(options["scope"]),
            options["target"],
            Mode(options["mode"]),
            options["why"] or "from the host",
        )
        try:
            frozen = change_mode(
                wish,
                by=_agent(options["agent"]),
                now=timezone.now(),
                may_loosen=options["yes_open"],
                keeps_words=not options["why"],
            )
        except BadMode as error:
            raise CommandError(str(error)) from None
        except Loosening:
            words = "This allows what is forbidden now. Say --yes-open if it shall."
            raise CommandError(words) from None
        except Error as error:
            raise CommandError(f"NOT SET: the database does not answer: {error}") from None
        self._report(frozen)

    def _report(self, frozen: Frozen) -> None:
        rule, left = frozen.change.rule, frozen.left
        shown = get_mode(rule.scope, rule.target)
        already = "" if frozen.change.is_new else "already "
        self.stdout.write(f"{shown.name} is {already}{rule.mode_words}: {shown.rule.why}")
        if rule.mode != Mode.OPEN:
            self.stdout.write(f"  stopped before sending  {frozen.skipped} orders")
            self.stdout.write(f"  price ladders stopped   {frozen.ladders_stopped}")
            self._report_left(left)

    def _report_left(self, left: Left) -> None:
        self.stdout.write(f"  left at the broker      {left.working} orders")
        self.stdout.write(f"  being sent or unknown   {left.under_way} orders")
        self.stdout.write(f"  exits at work           in {left.exits} accounts")
        self.stdout.write(f"  price ladders running   {left.ladders}")
        for order in left.orders:
            self.stdout.write(
                f"  #{order.id} {order.name} {order.underlying}, {order.purpose.lower()}: "
                f"{order.working} working, {order.under_way} under way"
            )


def _agent(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None or not user.may_freeze:
        raise CommandError(f"{name} is no user who may set modes.")
    return user
