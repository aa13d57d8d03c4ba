"""Start and stop price ladders; how they move a limit is in climbing.py."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.domain.modes import ModeRule, strictest
from accounts.models import User
from accounts.selectors import groups_of
from accounts.selectors.modes import mode_rules
from accounts.services.audit import event, record
from accounts.services.limits import read_limits
from orders.domain.allocation import blocks
from orders.domain.errors import BadTicket, CannotControl, GuardRefused
from orders.domain.exits import AT_WORK
from orders.domain.guards import Guard, Situation, find_refusals, settle
from orders.domain.ladders import Ladder, about_bound, check_ladder, plain
from orders.domain.lifecycle import Purpose, any_of
from orders.models import ComplexOrder, ExitStep, PriceLadder
from orders.selectors.chains import market_now
from orders.selectors.guarding import PRICE_AGE_S
from orders.selectors.ladders import parent_ticket
from orders.services.canceling import at_work
from strategies.domain.catalog import recognise
from strategies.domain.pricing import natural_cash
from strategies.domain.tickets import Problem, Ticket

RUNNING, STOPPED = "RUNNING", "STOPPED"
NOTHING_WORKS = "Nothing of it works any more: there is no price to move."
NONE_RUNS = "No price ladder of this order runs any more. Nothing was changed."


def start_ladder(
    *,
    order_id: int,
    step: Decimal,
    every_s: int,
    bound: Decimal,
    agent: User,
    now: datetime,
    confirm: Collection[str] = (),
) -> PriceLadder:
    """Let the limit of a broadcast move from where it is; one that runs already is replaced.

    Args:
        step, every_s, bound: as in Ladder.
        confirm: codes of guards whose objections to the bound are overridden.

    Errors: BadTicket, GuardRefused (fields ladder.step, ladder.every_s, ladder.bound),
    CannotControl if nothing works; nothing is written then.
    """
    order = ComplexOrder.objects.get(pk=order_id)
    accounts = accounts_at_work(order_id)
    if not accounts:
        raise CannotControl(NOTHING_WORKS)
    if rule := rule_against(order, accounts):
        raise CannotControl(rule.words)
    ladder = Ladder(step, every_s, bound)
    overridden = judge_ladder(parent_ticket(order, order.legs.all()), ladder, confirmed=confirm)
    with transaction.atomic():
        # Of two who start one at the same moment, the second replaces the first one's.
        ComplexOrder.objects.select_for_update().get(pk=order_id)
        return write_ladder(
            order, ladder, actor=agent.get_username(), now=now, overridden=overridden
        )


def stop_ladder(*, order_id: int, by: str, now: datetime) -> None:
    """Let the limit of a broadcast stay where it is. Errors: CannotControl if none runs."""
    running = PriceLadder.objects.filter(order=order_id, stopped_at__isnull=True)
    with transaction.atomic():
        if not end_ladder(running, order_id, why=f"Stopped by {by}.", actor=by, now=now):
            raise CannotControl(NONE_RUNS)


def judge_ladder(ticket: Ticket, ladder: Ladder, *, confirmed: Collection[str]) -> list[Problem]:
    """Return the objections to a ladder's bound that are overridden.

    The bound is judged by PRICE_AWAY as if it were the limit: the machine may come to it.

    Errors: BadTicket, GuardRefused.
    """
    if problems := check_ladder(ticket, ladder):
        raise BadTicket(problems)
    may_ask = Guard.PRICE_AWAY not in confirmed
    symbols = [leg.symbol for leg in ticket.legs]
    market = market_now(symbols, max_age_s=PRICE_AGE_S, may_ask=may_ask)
    situation = Situation(
        ticket=replace(ticket, limit=ladder.bound),
        structure=recognise(ticket.legs),
        purpose=Purpose.CLOSE,  # sizes were judged with the order
        shares=(),
        limits=read_limits(),
        natural=natural_cash(ticket.legs, market),
    )
    found = [p for p in find_refusals(situation) if p.code == Guard.PRICE_AWAY]
    refused, overridden = settle([about_bound(p, ticket) for p in found], confirmed)
    if refused:
        raise GuardRefused(refused, overridden)
    return overridden


def write_ladder(
    order: ComplexOrder,
    ladder: Ladder,
    *,
    actor: str,
    now: datetime,
    overridden: Iterable[Problem] = (),
) -> PriceLadder:
    """Write a ladder that was judged, its first step due after its seconds.

    The caller holds the transaction.
    """
    fresh = {
        **asdict(ladder),
        "next_at": now + timedelta(seconds=ladder.every_s),
        "steps_taken": 0,
        "stopped_at": None,
        "why": "",
    }
    row, _ = PriceLadder.objects.update_or_create(order=order, defaults=fresh)
    facts = {
        "limit": plain(order.limit),
        "step": plain(ladder.step),
        "every_s": ladder.every_s,
        "bound": plain(ladder.bound),
        "overridden": {one.code: one.message for one in overridden},
    }
    started = event(order, "ladder", at=now, new=RUNNING, actor=actor, data=facts)
    record([started], is_quiet=True)
    return row


def end_ladder(
    running: QuerySet[PriceLadder], order_id: int, *, why: str, actor: str, now: datetime
) -> bool:
    """Stop the ladder of a broadcast if it still runs; the caller holds the transaction."""
    if not running.update(stopped_at=now, next_at=None, why=why[:200]):
        return False
    stopped = event(
        f"complexorder:{order_id}",
        "ladder",
        at=now,
        old=RUNNING,
        new=STOPPED,
        reason=why[:300],
        actor=actor,
    )
    record([stopped])
    return True


def accounts_at_work(order_id: int) -> list[UUID]:
    """Return the accounts in which something of a broadcast works, or is still to be sent."""
    children = at_work(order_id, None).values_list("account_id", flat=True)
    steps = ExitStep.objects.filter(
        order=order_id, closed_at__isnull=True, state__in=any_of(AT_WORK)
    )
    return [*children, *steps.values_list("account_id", flat=True)]


def rule_against(order: ComplexOrder, accounts: Sequence[UUID]) -> ModeRule | None:
    """Return a mode that keeps a broadcast from sending, if that is so in all these accounts."""
    rules = [rule for rule in mode_rules() if blocks(rule.mode, Purpose(order.purpose))]
    groups = groups_of(accounts) if rules else {}
    found = None
    for account_id in accounts if rules else ():
        found = strictest(
            rules,
            account_id=str(account_id),
            groups=groups.get(account_id, frozenset()),
            underlying=order.underlying,
        )
        if found is None:
            return None
    return found
