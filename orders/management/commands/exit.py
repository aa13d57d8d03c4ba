"""Exit placed order sets from the command line; it needs the database and the broker, no queue."""

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from brokerage.transport import process_gateway
from orders.domain.errors import AlreadyFlat, BadTicket
from orders.domain.exits import AT_WORK, ExitTerms, Pricing
from orders.domain.lifecycle import any_of
from orders.management.agents import find_agent
from orders.management.report import write_report
from orders.models import ExitStep, PlacedOrderSet
from orders.selectors.sets import find_set
from orders.selectors.showing import find_broadcast
from orders.services import placing, polling
from orders.services.canceling import send_cancels
from orders.services.exits.advancing import advance_exits
from orders.services.exits.everything import PHRASE, close_everything
from orders.services.exits.opening import open_exit
from strategies.domain.tickets import Problem

PAUSE_S = 0.5


class Command(BaseCommand):
    help = "Close a placed order set in its accounts, or everything, and wait for the proof."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("set", type=int, nargs="?", help="the set's number")
        add("--everything", metavar="PHRASE", help=f"instead of a set; the phrase is {PHRASE!r}")
        add("--limit", type=_price, help="USD per unit; else at the market's price, see --at")
        add("--at", choices=["mid", "natural", "market"], default="mid", help="without --limit")
        add("--percent", type=int, default=100, help="of what was filled")
        add("--accounts", help="comma-separated account ids; else all of the set")
        add("--confirm", action="append", default=[], help="a guard's code to override")
        add("--agent", help="user name of the agent, if there are several")
        add("--wait", type=float, default=30, metavar="S", help="how long to watch, seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        agent, clicked_at = find_agent(options["agent"]), timezone.now()
        if options["everything"] is not None:
            orders = self._close_everything(agent, options, clicked_at)
        elif options["set"] is not None:
            orders = [_open(agent, options, clicked_at)]
        else:
            raise CommandError("Name a set by its number, or use --everything.")
        _carry_on(orders, until=clicked_at + timedelta(seconds=options["wait"]))
        for order in orders:
            write_report(self.stdout, find_broadcast(order), page=None)
        if options["set"] is not None:
            self._say_flat(options["set"])

    def _close_everything(
        self, agent: User, options: dict[str, Any], clicked_at: datetime
    ) -> list[int]:
        if options["everything"] != PHRASE:
            raise CommandError(f"To close everything write: --everything {PHRASE!r}")
        begun = close_everything(
            pricing=Pricing(options["at"].upper()),
            agent=agent,
            key=uuid4(),
            clicked_at=clicked_at,
            now=timezone.now(),
        )
        self.stdout.write(
            f"{len(begun.asked.unsent)} not sent any more, {len(begun.asked.asked)} being "
            f"canceled, {len(begun.exits)} sets being closed."
        )
        for number, words in begun.refused.items():
            self.stdout.write(f"  set {number}: {words}")
        send_cancels(gateway=process_gateway(), ids=begun.asked.asked)
        return [order.pk for order in begun.exits]

    def _say_flat(self, number: int) -> None:
        found = find_set(number)
        if found is None:
            return
        at = f", {found.flat_at:%H:%M:%S} UTC" if found.flat_at else ""
        self.stdout.write(f"  flat      {found.flat_accounts}/{found.accounts_total}{at}")
        for account in found.accounts:
            if account.why and not account.is_flat:
                self.stdout.write(f"  {account.alias}: {account.why}")


def _open(agent: User, options: dict[str, Any], clicked_at: datetime) -> int:
    placed_set = PlacedOrderSet.objects.select_related("order").filter(pk=options["set"]).first()
    if placed_set is None:
        raise CommandError(f"There is no set {options['set']}.")
    limit = options["limit"]
    terms = ExitTerms(
        pricing=Pricing.LIMIT if limit is not None else Pricing(options["at"].upper()),
        limit=limit,
        percent=options["percent"],
        accounts=_accounts(options["accounts"]),
        confirm=frozenset(options["confirm"]),
    )
    try:
        opened = open_exit(
            placed_set=placed_set,
            terms=terms,
            agent=agent,
            idempotency_key=uuid4(),
            clicked_at=clicked_at,
            now=timezone.now(),
        )
    except BadTicket as error:
        raise CommandError("\n".join(map(_words, error.problems))) from None
    except AlreadyFlat as error:
        raise CommandError(str(error)) from None
    return opened.order.pk


def _carry_on(orders: Sequence[int], *, until: datetime) -> None:
    """Do what the workers do, who may be doing it too, until nothing is at work any more."""
    gateway = process_gateway()
    while True:
        advanced = advance_exits(gateway=gateway, order_ids=orders)
        for ready in advanced.ready.values():
            placing.place_account_orders(ids=ready, gateway=gateway)
        if timezone.now() > until or not _is_at_work(orders):
            return
        time.sleep(PAUSE_S)
        polling.sync_stock_orders(gateway=gateway)
        polling.sync_option_orders(gateway=gateway)


def _is_at_work(orders: Sequence[int]) -> bool:
    return ExitStep.objects.filter(
        order__in=orders, closed_at__isnull=True, state__in=any_of(AT_WORK)
    ).exists()


def _accounts(text: str | None) -> tuple[UUID, ...] | None:
    try:
        return tuple(UUID(one) for one in text.split(",")) if text else None
    except ValueError:
        raise CommandError(f"{text} is no list of account ids.") from None


def _price(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def _words(problem: Problem) -> str:
    hint = f" (--confirm {problem.code})" if problem.is_overridable else ""
    return f"{problem.field}: {problem.message}{hint}"
