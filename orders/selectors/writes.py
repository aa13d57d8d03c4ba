"""How many order writes each account had in the last minute, from the rows: nothing counts twice.

A broadcast does not wait for a count, so there is none to keep: what was sent has its time.
"""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from accounts.models import Account
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, ComplexOrder

MINUTE = timedelta(minutes=1)


def writes_of_accounts(now: datetime) -> Counter[UUID]:
    """Return orders sent and cancels sent in the last minute, by account.

    Both are found without a look at all orders: an order was sent with its broadcast, or lately as
    a further attempt, and a cancel belongs to an order that still works, or to one of those. The
    cancel of an older order is not counted any more as soon as it is confirmed.
    """
    since = now - MINUTE
    lately = ComplexOrder.objects.filter(Q(last_sent_at__gte=since) | Q(clicked_at__gte=since))
    is_new = Q(sent_at__gte=since) | Q(cancel_sent_at__gte=since)
    written = AccountOrder.objects.filter(is_new, order__in=lately)
    canceled = AccountOrder.objects.filter(status=Status.WORKING, cancel_sent_at__gte=since)
    counted: Counter[UUID] = Counter()
    cancels = set(canceled.values_list("pk", "account_id"))
    for pk, account_id, sent_at, cancel_sent_at in written.values_list(
        "pk", "account_id", "sent_at", "cancel_sent_at"
    ):
        if sent_at is not None and sent_at >= since:
            counted[account_id] += 1
        if cancel_sent_at is not None and cancel_sent_at >= since:
            cancels.add((pk, account_id))
    counted.update(account_id for _, account_id in cancels)
    return counted


def busiest_account(now: datetime) -> tuple[str, int]:
    """Return the account with most order writes in the last minute: alias and count."""
    busiest = writes_of_accounts(now).most_common(1)
    if not busiest:
        return "", 0
    account_id, count = busiest[0]
    alias = Account.objects.filter(pk=account_id).values_list("alias", flat=True).first()
    return alias or "", count


def may_write(account_id: UUID, counted: Counter[UUID]) -> bool:
    """Tell whether an account can take one more write of the machine's, with room for a person's.

    An exit, a cancel or a click is never held up by it: the broker says so itself if it is too
    much, and such an order is sent again while its time lasts.
    """
    return counted[account_id] < settings.ORDER_WRITES_PER_MINUTE * 3 // 4
