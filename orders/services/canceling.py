"""Take account orders out of the market: the wish, which holds until the broker shows the end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import AuditEvent
from accounts.services.audit import signed, subject_of
from accounts.services.inserting import insert_copies
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.lifecycle import UNRESOLVED, Reason, Status
from orders.models import AccountOrder
from orders.services.attempts import add_attempts, prepare, ticket_of, with_terms
from orders.services.cancel_sending import Canceled as Canceled
from orders.services.cancel_sending import send_cancels as send_cancels
from orders.services.parents import refresh_parents
from orders.services.steps import Step, take_steps
from strategies.domain.tickets import Problem

UNSENT = "Canceled before it was sent."
REPLACED_UNSENT = "Replaced before it was sent."

# What may be, or come, to the broker: it is asked for its end, and sent when its number is known.
# One that the broker replaced by itself, whose successor is still looked for, passes the wish on.
LIVE = Q(status__in=[Status.WORKING, *UNRESOLVED]) | Q(
    status=Status.REPLACED, successor__isnull=True, needs_agent=True
)
# Canceled to be replaced; the rest has not been written yet.
REST_DUE = Q(status=Status.CANCELED, successor__isnull=True, replace_limit__isnull=False)
AT_WORK = Q(status=Status.READY) | LIVE | REST_DUE


@dataclass(slots=True)
class Asked:
    """What became of a wish to cancel or replace, ids of account orders.

    Args:
        unsent: nothing of them (or of their rest) is sent any more.
        asked: they may be at the broker, and are canceled there.
        over: nothing to do: ended; or, for a replace, to be canceled, or at that limit already.
        ready: new ones at the new limit, to be rung for.
        left_out: why nothing is done in an account, by alias.
    """

    unsent: list[UUID] = field(default_factory=list)
    asked: list[UUID] = field(default_factory=list)
    over: list[UUID] = field(default_factory=list)
    ready: list[UUID] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.unsent or self.asked)


@dataclass(frozen=True, slots=True)
class _Wish:
    by: str
    now: datetime
    limit: Decimal | None
    until: datetime | None


def ask_cancel(
    *,
    children: Collection[UUID],
    by: str,
    now: datetime,
    limit: Decimal | None = None,
    until: datetime | None = None,
) -> Asked:
    """Ask for the end of account orders, or of what has succeeded them; all in one transaction.

    What was not sent is not sent any more. With a limit, what is not filled by then goes out anew
    at that limit, unless the end is proved later than `until`; another limit may be asked for until
    it does. A plain cancel takes the wish to replace back, and no replace that comes after it.

    Args:
        by: who asks, a user's name or a part of the machine.
        limit: USD per unit, checked by the caller; goes with `until`.
    """
    wish, asked = _Wish(by, now, limit, until), Asked()
    with transaction.atomic():
        rows = _lock(children, has_terms=limit is not None)
        asked.over = [row.pk for row in rows if not _is_wanted(row, wish)]
        wanted = [row for row in rows if _is_wanted(row, wish)]
        ready = [row for row in wanted if row.status == Status.READY]
        asked.ready = _withdraw(ready, {row.pk: limit for row in ready}, by=by, now=now)
        others = [row for row in wanted if row.status != Status.READY]
        _note(others, wish)
        is_out = limit is None
        resting = [row for row in others if is_out and row.status == Status.CANCELED]
        asked.unsent = [row.pk for row in (*ready, *resting)]
        asked.asked = [row.pk for row in others if row not in resting]
        refresh_parents({row.order_id for row in wanted})
    return asked


def ask_cancel_of_order(
    order_id: int, accounts: Collection[UUID] | None = None, *, by: str, now: datetime
) -> Asked:
    """Ask for the end of all that works, or may, of a broadcast in all or some of its accounts.

    Errors: CannotControl if there is nothing of that kind; BadTicket for an account not in it.
    """
    children = at_work(order_id, accounts).values_list("pk", flat=True)
    asked = ask_cancel(children=list(children), by=by, now=now)
    if asked.is_nothing:
        raise CannotControl("Nothing of it works any more: there is nothing to cancel.")
    return asked


def at_work(order_id: int, accounts: Collection[UUID] | None) -> QuerySet[AccountOrder]:
    """Return the account orders of a broadcast that may still fill, every attempt.

    Errors: BadTicket for an account that is not in it.
    """
    rows = AccountOrder.objects.filter(order=order_id)
    return chosen(rows, accounts).filter(AT_WORK).order_by("account__position", "attempt")


def chosen(
    rows: QuerySet[AccountOrder], accounts: Collection[UUID] | None
) -> QuerySet[AccountOrder]:
    """Narrow account orders of a broadcast to accounts. Errors: BadTicket for one not in it."""
    if accounts is None:
        return rows
    found = rows.filter(account__in=accounts)
    missing = set(accounts) - set(found.values_list("account_id", flat=True))
    if missing:
        words = f"This order has no account {min(map(str, missing))}. Choose from its own."
        raise BadTicket([Problem("accounts", "unknown_account", words)])
    return found


def withdraw_unsent(*, now: datetime) -> list[UUID]:
    """End READY orders whose cancel was asked for while they were under way.

    They were SUBMITTING then, and are proved not to be placed. Returns the orders that replace
    them, to be rung for.
    """
    came_back = AccountOrder.objects.filter(status=Status.READY, cancel_asked_at__isnull=False)
    if not came_back.exists():
        return []
    with transaction.atomic():
        rows = list(with_terms(came_back.select_for_update(of=("self",)).order_by("pk")))
        limits = {row.pk: row.replace_limit for row in rows if _is_in_time(row, now)}
        ready = _withdraw(rows, limits, by="sweeper", now=now)
        refresh_parents({row.order_id for row in rows})
    return ready


def _lock(ids: Collection[UUID], *, has_terms: bool) -> list[AccountOrder]:
    """Lock account orders, or those that have succeeded them, in one order.

    Args:
        has_terms: whether they are read with what a new attempt of them needs.
    """
    ends = set(ids)
    while True:
        pairs = dict(AccountOrder.objects.filter(pk__in=ends).values_list("pk", "successor_id"))
        if any(pairs.values()):
            ends = {successor or pk for pk, successor in pairs.items()}
            continue
        locked = AccountOrder.objects.filter(pk__in=ends).select_for_update(of=("self",))
        locked = locked.order_by("pk")
        rows = list(with_terms(locked) if has_terms else locked.defer("body"))
        if not any(row.successor_id for row in rows):
            return rows


def _is_wanted(row: AccountOrder, wish: _Wish) -> bool:
    """Whether the wish changes anything for an account order."""
    if not is_at_work(row):
        return False
    if wish.limit is None:
        return True
    if row.cancel_asked_at is not None:
        return row.replace_limit is not None
    return ticket_of(row, contracts=1).limit != wish.limit


def is_at_work(row: AccountOrder) -> bool:
    """Whether an account order may still fill, or be followed by one that does: as AT_WORK."""
    match row.status:
        case Status.READY | Status.SUBMITTING | Status.UNKNOWN | Status.WORKING:
            return True
        case Status.REPLACED:
            return row.successor_id is None and row.needs_agent
        case Status.CANCELED:
            return row.successor_id is None and row.replace_limit is not None
    return False


def _is_in_time(row: AccountOrder, now: datetime) -> bool:
    return row.replace_until is not None and now <= row.replace_until


def _withdraw(
    rows: Sequence[AccountOrder],
    limits: Mapping[UUID, Decimal | None],
    *,
    by: str,
    now: datetime,
) -> list[UUID]:
    """End locked READY orders; those with a limit begin anew at it."""
    anew = {row.pk for row in rows if limits.get(row.pk) is not None}
    steps = [
        Step(
            row.pk,
            Status.SKIPPED,
            {
                "reason_code": Reason.CANCELED_UNSENT,
                "reason": REPLACED_UNSENT if row.pk in anew else UNSENT,
                "cancel_asked_at": row.cancel_asked_at or now,
                "cancel_asked_by": row.cancel_asked_by or by,
            },
        )
        for row in rows
    ]
    take_steps(steps, out_of=[Status.READY], now=now, actor=by)
    attempts = [
        prepare(row, contracts=row.contracts, limit=limits[row.pk])
        for row in rows
        if row.pk in anew
    ]
    return [child.pk for child in add_attempts(attempts, actor=by, now=now)]


def _note(rows: Sequence[AccountOrder], wish: _Wish) -> None:
    """Write the wish on locked orders that may be at the broker, once each."""
    changed = [
        row for row in rows if row.cancel_asked_at is None or row.replace_limit != wish.limit
    ]
    these = AccountOrder.objects.filter(pk__in=[row.pk for row in rows])
    these.filter(cancel_asked_at__isnull=True).update(
        cancel_asked_at=wish.now, cancel_asked_by=wish.by
    )
    these.update(replace_limit=wish.limit, replace_until=wish.until)
    # One under way that turns out not to be placed must not be sent again.
    these.filter(status=Status.SUBMITTING, deadline_at__gt=wish.now).update(deadline_at=wish.now)
    facts = {} if wish.limit is None else {"limit": str(wish.limit), "until": str(wish.until)}
    asked = signed(AuditEvent(at=wish.now, kind="cancel", actor=wish.by, data=facts))
    events = [{"subject": subject_of(row), "old": row.status} for row in changed]
    insert_copies(asked, events)
