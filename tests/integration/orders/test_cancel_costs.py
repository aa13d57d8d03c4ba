"""What a cancel of a whole broadcast costs: as many statements for fifty accounts as for five."""

from decimal import Decimal

import pytest
from django.utils import timezone

from orders.services.canceling import ask_cancel_of_order, send_cancels
from tests.integration.orders.hands import statements

ASKING, CANCELING = 10, 18


@pytest.mark.parametrize("accounts", [5, 50])
def test_statements_of_a_cancel_do_not_grow_with_accounts(crowd, accounts):
    crowd.broker.market(fills="manual")
    ticket = crowd.shares(limit=Decimal("1.00"))
    order = crowd.broadcast(ticket, accounts=crowd.accounts[:accounts])
    crowd.poll()

    now = timezone.now()
    asking = statements(lambda: ask_cancel_of_order(order.pk, by="agent", now=now))
    canceling = statements(lambda: send_cancels(gateway=crowd.gateway))

    assert crowd.statuses(order) == ["CANCELED"] * accounts
    assert (asking, canceling) == (ASKING, CANCELING)
