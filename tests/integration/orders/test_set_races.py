"""Sets that several see at the same moment, and reads of positions that cross each other."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import Account, AuditEvent, Position
from accounts.services.positions import keep_positions
from brokerage.schwab.replies import AccountReading
from brokerage.schwab.replies.accounts import Holding
from orders.models import AccountOrderLeg, PlacedOrderSet
from orders.services.sets import keep_sets
from tests.integration.orders.test_races import at_once
from tests.support.make import make_account, make_login

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_that_see_the_first_fills_one_makes_the_set(fleet, condor):
    order = fleet.create(condor)
    AccountOrderLeg.objects.update(filled=1)
    keep = partial(keep_sets, [order.pk], now=timezone.now())

    assert at_once(keep, keep, keep, keep) == [None] * 4

    assert PlacedOrderSet.objects.count() == 1
    assert AuditEvent.objects.filter(kind="set").count() == 1


def test_of_reads_that_cross_the_newest_stays_in_every_account(db):
    login = make_login()
    accounts = [make_account(login) for _ in range(10)]
    now = timezone.now()

    def read(place):
        held = Holding("AAPL", "EQUITY", Decimal(place + 1), Decimal(0), None, None)
        reading = AccountReading("1", "MARGIN", None, None, None, None, (held,))
        order = accounts if place % 2 else accounts[::-1]
        at = now + timedelta(seconds=place)
        return partial(keep_positions, [(one.pk, reading) for one in order], read_at=at)

    assert at_once(*(read(place) for place in range(6))) == [None] * 6

    assert set(Position.objects.values_list("quantity", flat=True)) == {Decimal(6)}
    assert Position.objects.count() == len(accounts)
    newest = now + timedelta(seconds=5)
    assert set(Account.objects.values_list("positions_at", flat=True)) == {newest}
