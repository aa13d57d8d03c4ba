"""Broadcast an order from the command line and report what became of it."""

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.tasks.queue import QueueDown, check_queue, open_queue
from brokerage.errors import BrokerError
from orders.domain.errors import BadTicket
from orders.domain.guards import OVERRIDABLE
from orders.domain.shapes import Shape
from orders.management.agents import find_agent
from orders.management.report import Progress, write_report
from orders.selectors.choosing import AccountChoice
from orders.selectors.drafting import Draft, Wish, draft_ticket
from orders.selectors.picking import Picking
from orders.selectors.showing import find_broadcast
from orders.services.creating import create_order
from orders.tasks import ring_for
from strategies.domain.catalog import VerticalKind
from strategies.domain.new_york import exchange_date
from strategies.domain.symbols import PutCall
from strategies.domain.tickets import Instruction, Problem, Strategy

STRATEGIES = {
    "equity": "EQUITY",
    "single-option": "SINGLE_OPTION",
    "vertical": "VERTICAL",
    "iron-condor": "IRON_CONDOR",
}
KINDS = [kind.name.lower().replace("_", "-") for kind in VerticalKind]


class Command(BaseCommand):
    help = "Broadcast an order to every active account (or some) and report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--strategy", choices=STRATEGIES, default="iron-condor")
        add("--underlying", default="SPX", help="common name: SPX, AAPL")
        add("--expiration", help="YYYY-MM-DD; else the first one at least --days away")
        add("--days", type=int, default=7)
        add("--strikes", help="comma-separated, ascending; else picked by --delta and --width")
        add("--delta", type=Decimal, default=Decimal("0.15"), help="of the body's strikes")
        add("--width", type=Decimal, default=Decimal(5), help="USD to the wings")
        add("--kind", choices=KINDS, default="bull-put", help="of a vertical")
        add("--instruction", choices=list(Instruction), help="of shares or a single option")
        add("--right", choices=["PUT", "CALL"], default="PUT", help="single option: its side")
        add("--contracts", type=int, default=1, help="per account, times its multiplier")
        add("--limit", default="natural", help="a price, or mid, natural, market")
        add("--accounts", help="comma-separated account ids; else all active")
        add("--group", help="a group's name")
        add(
            "--confirm",
            action="append",
            choices=sorted(OVERRIDABLE),
            default=[],
            help="send although this guard objects; again for another one",
        )
        add("--agent", help="user name of the agent; else the only one")
        add("--wait", type=float, default=30, help="seconds to wait for fills")
        add("--page", help="address of the page to name in the report")

    def handle(self, *args: Any, **options: Any) -> None:
        agent = find_agent(options["agent"])
        try:
            draft = draft_ticket(_wish(options), today=exchange_date(timezone.now()))
            self.stdout.write(f"{draft.words} in every account")
            open_queue()
            pk = self._send(agent, draft, _choice(options), options["confirm"])
        except BadTicket as error:
            lines = [_words(problem) for problem in error.problems]
            raise CommandError("The order is not sent:\n  " + "\n  ".join(lines)) from None
        except (BrokerError, QueueDown, ArithmeticError, ValueError) as error:
            raise CommandError(str(error)) from None
        self._watch(pk, options["wait"])
        write_report(self.stdout, find_broadcast(pk), page=options["page"])

    def _send(
        self, agent: User, draft: Draft, choice: AccountChoice, confirm: Sequence[str]
    ) -> int:
        clicked_at = timezone.now()
        check_queue()
        creation = create_order(
            agent=agent,
            ticket=draft.ticket,
            choice=choice,
            confirm=confirm,
            idempotency_key=uuid4(),
            clicked_at=clicked_at,
            now=timezone.now(),
            today=exchange_date(clicked_at),
        )
        ring_for(creation.ready)
        return creation.order.pk

    def _watch(self, pk: int, wait_s: float) -> None:
        """Show progress until every account order is terminal or the time is over."""
        progress = Progress(self.stdout)
        until = timezone.now() + timedelta(seconds=wait_s)
        while True:
            broadcast = find_broadcast(pk)
            done = broadcast is None or progress.show(broadcast)
            if done or timezone.now() > until:
                break
            time.sleep(0.1)
        progress.end()


def _words(problem: Problem) -> str:
    hint = f" (--confirm {problem.code})" if problem.is_overridable else ""
    return f"{problem.field}: {problem.message}{hint}"


def _choice(options: dict[str, Any]) -> AccountChoice:
    if options["accounts"]:
        return AccountChoice(ids=tuple(UUID(one) for one in options["accounts"].split(",")))
    return AccountChoice(group=options["group"])


def _wish(options: dict[str, Any]) -> Wish:
    strategy = Strategy(STRATEGIES[options["strategy"]])
    opens = "BUY" if strategy is Strategy.EQUITY else "BUY_TO_OPEN"
    shape = Shape(
        strategy=strategy,
        underlying=options["underlying"].upper(),
        kind=VerticalKind[options["kind"].upper().replace("-", "_")],
        side=PutCall(options["right"]),
        instruction=Instruction(options["instruction"] or opens),
    )
    day, strikes = options["expiration"], options["strikes"]
    return Wish(
        shape=shape,
        contracts=options["contracts"],
        limit=options["limit"],
        expiration=date.fromisoformat(day) if day else None,
        strikes=tuple(Decimal(text) for text in strikes.split(",")) if strikes else None,
        picking=Picking(options["days"], options["delta"], options["width"]),
    )
