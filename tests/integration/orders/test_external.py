"""Orders made elsewhere: found, kept, warned about where they touch a set, and never adopted."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Alarm
from brokerage.schwab.replies import TERMINAL_STATUSES, BrokerOrder
from orders.models import AccountOrder, ExternalOrder
from orders.services.elsewhere import look_elsewhere
from orders.services.external import note_external
from orders.services.known_orders import known_orders
from tests.integration.orders.strangers import at, by_hand, journal, works

OCO_LEG = {
    "orderLegCollection": [
        {"instruction": "SELL", "quantity": 5, "instrument": {"symbol": "MSFT"}},
    ]
}


@pytest.fixture(autouse=True)
def _nothing_known():
    known_orders.forget()


def test_the_lists_that_polls_read_show_orders_made_by_hand(fleet):
    works(fleet)
    fleet.poll()
    number = by_hand(fleet)
    calls = len(journal(fleet))

    fleet.poll()

    kept = ExternalOrder.objects.get()
    assert (kept.account, kept.broker_order_id) == (fleet.accounts[0], str(number))
    assert kept.tag.startswith("API_TOS")
    assert kept.ended_at is None
    assert kept.data["legs"] == [{"symbol": "AAPL", "instruction": "BUY", "quantity": "5"}]
    assert len(journal(fleet)) - calls <= 3  # no call more than the poll's own
    assert AccountOrder.objects.filter(broker_order_id=str(number)).count() == 0


def test_an_order_of_ours_is_never_kept_as_external(fleet):
    order = works(fleet)
    fleet.poll()
    fleet.poll()

    assert not ExternalOrder.objects.exists()
    assert fleet.statuses(order) == ["WORKING"] * 3


def test_a_lost_answer_is_left_to_reconciliation(fleet):
    fleet.broker.fault("drop_after", method="POST", account=fleet.accounts[0].hash_value)
    fleet.broker.market(fills="manual")
    fleet.broadcast(fleet.shares(10))

    look_elsewhere(gateway=fleet.gateway, now=at(600), logins=[login.pk for login in fleet.logins])

    assert not ExternalOrder.objects.exists()


def test_what_becomes_of_it_is_followed_until_it_ended_and_no_further(fleet):
    works(fleet)
    fleet.poll()
    number = by_hand(fleet)
    fleet.poll()

    fleet.broker.fill(number, quantity=5, price=99)
    fleet.poll()
    kept = ExternalOrder.objects.get()

    assert kept.broker_status in TERMINAL_STATUSES
    assert kept.ended_at is not None
    assert kept.data["filled"] == "5"
    assert look_elsewhere(gateway=fleet.gateway, now=at(30)).asked == 0


def test_it_is_let_go_once_it_turns_out_to_be_ours(fleet):
    works(fleet)
    fleet.poll()
    number = by_hand(fleet)
    fleet.poll()
    child = fleet.accounts[0].orders.get()
    AccountOrder.objects.filter(pk=child.pk).update(broker_order_id=str(number))
    known_orders.forget()

    look_elsewhere(gateway=fleet.gateway, now=at(0), logins=[fleet.logins[0].pk])

    assert not ExternalOrder.objects.filter(broker_order_id=str(number)).exists()


def test_the_agent_is_warned_once_where_it_touches_a_set(fleet):
    order = fleet.broadcast(fleet.condor())
    fleet.poll()
    leg = order.legs.filter(instruction="SELL_TO_OPEN").first()
    works(fleet)
    fleet.poll()
    by_hand(fleet, 1, symbol=leg.symbol, instruction="BUY_TO_CLOSE", quantity=1, limit="0.05")

    fleet.poll()
    known_orders.forget()
    fleet.poll()

    kept = ExternalOrder.objects.get()
    alarm = Alarm.objects.get(code="EXTERNAL_TOUCHES_SET")
    assert list(kept.touches.all()) == [order.placed_order_set]
    assert alarm.subject == f"externalorder:{kept.pk}"
    assert f"touches set #{order.placed_order_set.pk}" in alarm.words
    assert fleet.accounts[1].alias in alarm.words


def test_one_that_touches_nothing_raises_no_alarm(fleet):
    fleet.broadcast(fleet.condor())
    fleet.poll()
    works(fleet)
    fleet.poll()
    by_hand(fleet, symbol="MSFT")

    fleet.poll()

    assert ExternalOrder.objects.get().touches.count() == 0
    assert not Alarm.objects.exists()


def test_orders_that_are_known_cost_no_query(fleet, django_assert_num_queries):
    shown = BrokerOrder(
        order_id="77",
        account_number=fleet.broker.logins()[0]["accounts"][0]["number"],
        status="WORKING",
        status_description="",
        quantity=Decimal(5),
        filled=Decimal(0),
        remaining=Decimal(5),
        price=Decimal(1),
        order_type="LIMIT",
        entered_at=timezone.now(),
        closed_at=None,
        tag="API_TOS:ABC",
        legs=(),
        fills=(),
        raw={"orderStrategyType": "OCO", "childOrderStrategies": [OCO_LEG]},
    )
    first = note_external([shown], now=timezone.now())

    with django_assert_num_queries(0):
        again = note_external([shown], now=timezone.now())

    assert (first.written, again.written) == (1, 0)
    assert [leg["symbol"] for leg in ExternalOrder.objects.get().data["legs"]] == ["MSFT"]
