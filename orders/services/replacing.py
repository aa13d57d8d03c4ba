"""Replace working orders: cancel, wait for the proof, send the verified rest at the new limit."""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.services.audit import event, record
from orders.domain.errors import CannotControl, GuardRefused
from orders.domain.guards import settle
from orders.domain.lifecycle import Purpose
from orders.models import AccountOrder, ComplexOrder
from orders.services.attempts import Attempt, add_attempts, prepare, ticket_of, with_terms
from orders.services.canceling import REST_DUE, Asked, ask_cancel, at_work
from orders.services.parents import refresh_parents
from orders.services.rejudging import rejudge
from strategies.domain.tickets import Problem

log = logging.getLogger(__name__)

# So long the new limit is believed in while the end of the old order is not proved.
PROOF_WITHIN = {Purpose.OPEN: timedelta(seconds=30), Purpose.CLOSE: timedelta(seconds=60)}
NOTHING_WORKS = "Nothing of it works any more: there is nothing to replace."
NOTHING_TO_DO = "What still works has this limit already, or is to be canceled."
TOO_LATE = "Canceled; its end was proved too late to send the rest of {} at {}."
NOT_LEFT = "Filled before it could be replaced."
UNSENDABLE = "Canceled; the rest of {} cannot be sent at {}: {}"


def ask_replace(
    *,
    order_id: int,
    limit: Decimal,
    by: str,
    now: datetime,
    accounts: Collection[UUID] | None = None,
    confirm: Collection[str] = (),
) -> Asked:
    """Ask that what works of a broadcast goes on at another limit, in all or some accounts.

    Accounts that may not send now keep the order they have and are named in `left_out`.

    Args:
        limit: USD per unit, positive.
        by: who asks, a user's name or a part of the machine.
        confirm: codes of guards whose objections are overridden.

    Errors: BadTicket, GuardRefused (field `limit`, or `accounts` for one that is not in it),
    CannotControl if nothing can be replaced; nothing is written then.
    """
    rows = list(with_terms(at_work(order_id, accounts)))
    if not rows:
        raise CannotControl(NOTHING_WORKS)
    return replace_rows(rows, limit=limit, by=by, now=now, confirm=confirm)


def replace_rows(
    rows: Sequence[AccountOrder],
    *,
    limit: Decimal,
    by: str,
    now: datetime,
    confirm: Collection[str] = (),
    together: Callable[[], None] | None = None,
) -> Asked:
    """Ask the same of these account orders of one broadcast, read with their terms.

    Args:
        together: what is written in the same transaction, before the new limit is noted and while
            nobody else can note one; what it raises undoes all.

    Errors: as ask_replace().
    """
    again = [(row, ticket_of(row, contracts=row.contracts, limit=limit)) for row in rows]
    judged = rejudge(again, confirmed=confirm, now=now)
    refused, overridden = settle([p for p in judged.problems if p.field == "limit"], confirm)
    if refused:
        raise GuardRefused(refused, overridden)
    if not judged.allowed:
        raise CannotControl(judged.words)
    until = now + PROOF_WITHIN[Purpose(rows[0].purpose)]
    children = [child.pk for child in judged.allowed]
    with transaction.atomic():
        asked = ask_cancel(children=children, by=by, now=now, limit=limit, until=until)
        if asked.is_nothing:
            raise CannotControl(NOTHING_TO_DO)
        if together is not None:
            together()
        _note_limit(rows[0].order_id, limit, by, now, overridden)
    asked.left_out = judged.left_out
    return asked


def _note_limit(
    order_id: int, limit: Decimal, by: str, now: datetime, overridden: Sequence[Problem]
) -> None:
    order = ComplexOrder.objects.filter(pk=order_id)
    old = order.values_list("limit", flat=True).get()
    order.update(limit=limit)
    facts = {"overridden": {one.code: one.message for one in overridden}} if overridden else {}
    subject = f"complexorder:{order_id}"
    changed = event(subject, "limit", at=now, old=str(old), new=str(limit), actor=by, data=facts)
    record([changed], is_quiet=True)


def due_rests() -> QuerySet[AccountOrder]:
    """Return the orders that are proved to be canceled and whose rest is still to be sent."""
    return AccountOrder.objects.filter(REST_DUE)


def send_rests(*, now: datetime, ids: Collection[UUID] | None = None) -> list[UUID]:
    """Write the orders for what was left of those canceled to be replaced, each exactly once.

    Where the end was proved too late, nothing is sent any more.

    Args:
        ids: only these canceled orders; None for all.

    Returns:
        The new orders, READY, to be rung for.
    """
    due = due_rests() if ids is None else due_rests().filter(pk__in=ids)
    names = list(due.values_list("pk", flat=True))
    if not names:
        return []
    try:
        return _send(due, now)
    except IntegrityError:
        # Another attempt was written at this moment; it must not hold up the other accounts.
        if len(names) == 1:
            log.warning("the rest of account order %s is not sent yet", names[0])
            return []
        return [pk for name in names for pk in send_rests(now=now, ids=[name])]


def _send(due: QuerySet[AccountOrder], now: datetime) -> list[UUID]:
    with transaction.atomic():
        rows = list(with_terms(due.select_for_update(of=("self",)).order_by("pk")))
        attempts = [one for row in rows if (one := _attempt(row, now)) is not None]
        children = add_attempts(attempts, actor="replacing", now=now)
        refresh_parents({row.order_id for row in rows})
    return [child.pk for child in children]


def _attempt(row: AccountOrder, now: datetime) -> Attempt | None:
    """Return what is to be sent for the rest of a canceled order, or end its replacing."""
    rest, limit = rest_of(row), row.replace_limit
    is_in_time = row.replace_until is not None and now <= row.replace_until
    words = TOO_LATE.format(rest, limit) if rest > 0 else NOT_LEFT
    if rest > 0 and is_in_time:
        try:
            return prepare(row, contracts=rest, limit=limit)
        except ValueError as error:
            words = UNSENDABLE.format(rest, limit, error)
    AccountOrder.objects.filter(pk=row.pk).update(
        replace_limit=None, replace_until=None, reason=words[:300]
    )
    record([event(row, "not replaced", at=now, reason=words[:300], actor="replacing")])
    return None


def rest_of(row: AccountOrder) -> int:
    """Return the whole units of an order that are not filled, by its figures and by its fills."""
    by_legs = [leg.filled * row.contracts / leg.quantity for leg in row.legs.all()]
    filled = max([row.filled, *by_legs])
    return row.contracts - int(filled.to_integral_value(rounding=ROUND_CEILING))
