"""Orders made elsewhere: found, kept, warned about where they touch a set, and never adopted."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Account, Alarm
from accounts.services.balances import sync_accounts
from accounts.services.read_times import forget_reads
from brokerage.schwab.replies import TERMINAL_STATUSES, BrokerOrder
from orders.models import AccountOrder, ElsewhereLook, ExternalOrder
from orders.services.elsewhere import look_elsewhere
from orders.services.external import known_orders, note_external

OCO_LEG = {
    "orderLegCollection": [
        {"instruction": "SELL", "quantity": 5, "instrument": {"symbol": "MSFT"}},
    ]
}


@pytest.fixture(autouse=True)
def _nothing_known():
    known_orders.forget()


def by_hand(fleet, place=0, *, symbol="AAPL", instruction="BUY", quantity=5, limit="1.00"):
    """Make an order in an account as somebody does in thinkorswim; it works."""
    is_option = len(symbol) == 21
    return fleet.broker.make_order(
        fleet.accounts[place].hash_value,
        {
            "orderType": "LIMIT",
            "session": "NORMAL",
            "duration": "DAY",
            "orderStrategyType": "SINGLE",
            "price": limit,
            "orderLegCollection": [
                {
                    "instruction": instruction,
                    "quantity": quantity,
                    "instrument": {
                        "symbol": symbol,
                        "assetType": "OPTION" if is_option else "EQUITY",
                    },
                }
            ],
        },
    )


def works(fleet, *, limit="100.00"):
    """Broadcast an order that works, so that every login is polled."""
    fleet.broker.market(fills="manual")
    return fleet.broadcast(fleet.shares(10, limit=Decimal(limit)))


def at(seconds):
    return timezone.now() + timedelta(seconds=seconds)


def journal(fleet):
    return [one for one in fleet.broker.journal() if one["path"].endswith("/orders")]


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


def test_a_position_that_no_set_explains_costs_one_list_of_that_account(fleet):
    hold(fleet, 0, {"AAPL": 7})
    look_elsewhere(gateway=fleet.gateway, now=at(0))
    calls = len(journal(fleet))
    number = by_hand(fleet)
    read_again(fleet, 60)

    looked = look_elsewhere(gateway=fleet.gateway, now=at(61))
    again = look_elsewhere(gateway=fleet.gateway, now=at(62))

    asked = journal(fleet)[calls:]
    assert (looked.asked, looked.written) == (1, 1)
    assert [one["account"] for one in asked] == [fleet.accounts[0].hash_value]
    assert ExternalOrder.objects.get().broker_order_id == str(number)
    assert again.asked == 0


def test_a_difference_that_does_not_last_costs_nothing(fleet):
    """A fill is on record before its position is read."""
    read_again(fleet, 0)
    fleet.broadcast(fleet.condor())
    fleet.poll()
    first = look_elsewhere(gateway=fleet.gateway, now=at(0))
    read_again(fleet, 60)

    second = look_elsewhere(gateway=fleet.gateway, now=at(61))

    assert first.asked == second.asked == 0
    assert not ElsewhereLook.objects.exclude(difference={}).exists()


def test_an_order_that_still_works_is_asked_about_once_a_minute(fleet):
    by_hand(fleet)
    look_elsewhere(gateway=fleet.gateway, now=at(0), logins=[fleet.logins[0].pk])

    asked = [look_elsewhere(gateway=fleet.gateway, now=at(s)).asked for s in (1, 30, 62, 90, 125)]

    assert asked == [1, 0, 1, 0, 1]


def test_a_login_that_is_silent_is_asked_again(fleet):
    hold(fleet, 0, {"AAPL": 7})
    look_elsewhere(gateway=fleet.gateway, now=at(0))
    read_again(fleet, 60)
    fleet.broker.fault("http_500", method="GET", path="/orders", times=1)

    failed = look_elsewhere(gateway=fleet.gateway, now=at(61))
    second = look_elsewhere(gateway=fleet.gateway, now=at(91))

    assert (failed.asked, len(failed.silent)) == (0, 1)
    assert second.asked == 1


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

    assert (first, again) == (1, 0)
    assert [leg["symbol"] for leg in ExternalOrder.objects.get().data["legs"]] == ["MSFT"]


def hold(fleet, place, holdings):
    """Let an account hold something that nobody broadcast."""
    found = fleet.broker.positions()
    account = fleet.accounts[place].hash_value
    fleet.broker.positions(found | {account: found.get(account, {}) | holdings})
    read_again(fleet, 0)


def read_again(fleet, seconds):
    forget_reads()
    sync_accounts(gateway=fleet.gateway, now=at(seconds))
    assert Account.objects.filter(positions_at__isnull=False).count() == 3
