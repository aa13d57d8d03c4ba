"""What lies in Redis is a nudge at most, whoever put it there."""

from uuid import uuid4

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads, prepare_accept_content

from orders.models import AccountOrder, ComplexOrder
from orders.services import placing
from tests.security.walking import everything
from tradeswim.celery import app


def test_the_queue_takes_json_alone():
    accepted = prepare_accept_content(app.conf.accept_content)
    assert accepted == {"application/json"}
    with pytest.raises(ContentDisallowed):
        loads(b"a pickle", "application/x-python-serialize", "binary", accept=accepted)


def test_a_message_forged_for_an_order_that_is_not_ready_sends_nothing(world):
    sent = len(world.fleet.broker.orders())
    before = everything()
    ids = list(AccountOrder.objects.exclude(status="READY").values_list("pk", flat=True))

    placing.place_account_orders(ids=[*ids, uuid4()], gateway=world.fleet.gateway)

    assert len(world.fleet.broker.orders()) == sent
    assert everything() == before
    assert ComplexOrder.objects.exists()
