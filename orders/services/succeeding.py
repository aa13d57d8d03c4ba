"""Take an order that the broker put in the place of ours as a further attempt of it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.services.audit import event, record
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.replies import BrokerOrder
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, AccountOrderLeg, ExternalOrder
from orders.services.attempts import link, next_number, with_terms
from orders.services.parents import refresh_parents

FOLLOWED = "The broker replaced it by order {}, which is followed."
TAKEN_OVER = "The broker put it in the place of order {}."


def adopt(child_id: UUID, shown: BrokerOrder, *, now: datetime) -> UUID | None:
    """Go on with the successor of a replaced order; None if that was settled meanwhile.

    The wish to cancel or replace the old one passes on to it.

    Errors: IntegrityError if the order, or the attempt, got an owner at this moment.
    """
    with transaction.atomic():
        locked = AccountOrder.objects.filter(
            pk=child_id, status=Status.REPLACED, successor__isnull=True
        ).select_for_update(of=("self",))
        old = with_terms(locked).first()
        if old is None:
            return None
        new = _write(old, shown, now)
        link({old.pk: new})
        words = FOLLOWED.format(shown.order_id)
        AccountOrder.objects.filter(pk=old.pk).update(needs_agent=False, reason=words)
        ExternalOrder.objects.filter(
            account=old.account_id, broker_order_id=shown.order_id
        ).delete()
        record([event(old, "successor", at=now, new=shown.order_id, reason=words)])
        refresh_parents({old.order_id})
    return new.pk


def _write(old: AccountOrder, shown: BrokerOrder, now: datetime) -> AccountOrder:
    """Write the successor: never sent by us, so it has no body, and known to be the right one."""
    contracts = int(shown.quantity)
    words = TAKEN_OVER.format(old.broker_order_id)
    new = AccountOrder.objects.create(
        order_id=old.order_id,
        account_id=old.account_id,
        attempt=next_number(old),
        purpose=old.purpose,
        contracts=contracts,
        remaining=contracts,
        status=Status.WORKING,
        reason=words,
        broker_order_id=shown.order_id,
        broker_status=shown.status[:40],
        broker_text=shown.status_description[:300],
        sent_at=shown.entered_at,
        deadline_at=now,
        fingerprint=fingerprint(shown.raw),
        cancel_asked_at=old.cancel_asked_at,
        cancel_asked_by=old.cancel_asked_by,
        replace_limit=old.replace_limit,
        replace_until=old.replace_until,
    )
    AccountOrderLeg.objects.bulk_create(
        AccountOrderLeg(
            child=new,
            number=leg.number,
            symbol=leg.symbol,
            instruction=leg.instruction,
            quantity=leg.quantity // old.contracts * contracts,
        )
        for leg in old.legs.all()
    )
    data = {"broker_order_id": shown.order_id, "after": str(old.pk)}
    record([event(new, "status", at=now, new=Status.WORKING, reason=words, data=data)])
    return new
