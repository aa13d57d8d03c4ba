"""Retry the accounts of a broadcast to which nothing went: a new attempt of the same order."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services.audit import event, record
from orders.domain.errors import BadTicket, CannotControl, GuardRefused
from orders.domain.guards import Guard, settle
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, ComplexOrder
from orders.services.attempts import Attempt, add_attempts, prepare, with_terms
from orders.services.canceling import chosen, is_at_work
from orders.services.parents import refresh_parents
from orders.services.rejudging import Rejudged, rejudge

FAILED = (Status.FAILED_TO_PLACE, Status.REJECTED)
OF_AN_EXIT = "This order is the exit of a set: retry what is left on the set's residual board."
NOTHING_FAILED = "In no account has the latest attempt failed: there is nothing to retry."
RETRIED = "It was retried at this very moment; see what became of it."


def retry_failed(
    *,
    order_id: int,
    agent: User,
    now: datetime,
    accounts: Collection[UUID] | None = None,
    confirm: Collection[str] = (),
) -> list[UUID]:
    """Write a new attempt for every account whose latest one failed to place or was rejected.

    Never for one of unknown outcome, nor where another attempt may still fill. Accounts that may
    not send now are left out and named in the record.

    Args:
        accounts: only these; None for all of the broadcast.
        confirm: codes of guards whose objections the agent overrides.

    Returns:
        The new account orders, READY, to be rung for.

    Errors: CannotControl, BadTicket, GuardRefused; nothing is written then.
    """
    order = ComplexOrder.objects.filter(pk=order_id).first()
    if order is not None and order.closes_id is not None:
        raise CannotControl(OF_AN_EXIT)
    failed = _failed(order_id, accounts)
    if order is None or not failed:
        raise CannotControl(NOTHING_FAILED)
    judged = _judge(failed, confirm, now)
    try:
        with transaction.atomic():
            return _write(order, judged, agent.get_username(), now)
    except IntegrityError:
        raise CannotControl(RETRIED) from None


def _judge(failed: Collection[Attempt], confirm: Collection[str], now: datetime) -> Rejudged:
    again = [(attempt.old, attempt.ticket) for attempt in failed]
    try:
        judged = rejudge(again, confirmed=confirm, now=now)
    except BadTicket as error:
        if any(problem.code == Guard.EXPIRED for problem in error.problems):
            raise CannotControl(str(error)) from None
        raise
    if not judged.allowed:
        raise CannotControl(judged.words)
    # A mode is said per account; only where it stops all of them is it a guard's business, too.
    objections = [one for one in judged.problems if one.code != Guard.MODE]
    refused, overridden = settle(objections, confirm)
    if refused:
        raise GuardRefused(refused, overridden)
    return judged


def _write(order: ComplexOrder, judged: Rejudged, actor: str, now: datetime) -> list[UUID]:
    accounts = [child.account_id for child in judged.allowed]
    # Of two clicks at the same moment the second waits here, and then finds the first one's.
    locked = AccountOrder.objects.filter(pk__in=[child.pk for child in judged.allowed])
    list(locked.select_for_update().order_by("pk").values_list("pk"))
    attempts = _failed(order.pk, accounts)
    if not attempts:
        raise CannotControl(RETRIED)
    children = add_attempts(attempts, actor=actor, now=now)
    facts = {"accounts": len(children), "left_out": judged.left_out}
    record([event(order, "retry", at=now, actor=actor, data=facts)], is_quiet=True)
    refresh_parents({order.pk})
    return [child.pk for child in children]


def _failed(order_id: int, accounts: Collection[UUID] | None) -> list[Attempt]:
    """Return what is to be sent again, in grid order. Errors: BadTicket for a strange account."""
    attempts: dict[UUID, list[AccountOrder]] = defaultdict(list)
    rows = chosen(AccountOrder.objects.filter(order=order_id), accounts)
    for row in with_terms(rows.order_by("account__position", "attempt")):
        attempts[row.account_id].append(row)
    return [
        prepare(lives[-1], contracts=rest, is_successor=False)
        for lives in attempts.values()
        if lives[-1].status in FAILED
        and not any(is_at_work(row) for row in lives)
        and (rest := _rest(lives)) > 0
    ]


def _rest(lives: list[AccountOrder]) -> int:
    """Return what is missing in an account after all its attempts, and never more than asked."""
    filled = sum((row.filled for row in lives), Decimal(0))
    missing = lives[0].contracts - int(filled.to_integral_value(rounding=ROUND_CEILING))
    return min(missing, lives[-1].contracts)
