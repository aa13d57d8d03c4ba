"""What the broker replaces by itself goes on as another attempt, if it can be told which it is."""

import pytest
from django.utils import timezone

from accounts.models import Alarm
from accounts.services.alarms import acknowledge
from orders.models import AccountOrder, ExternalOrder, LegFill
from orders.services.following import Followed, follow_successors
from tests.integration.orders.hands import figures, force, hit, only
from tests.integration.orders.stopping import LIMIT, ask, change, go_on, resting, stop


def follow(fleet, times=1) -> Followed:
    """Let every order be due for a look, and look."""
    for _ in range(times):
        AccountOrder.objects.update(looked_at=None)
        followed = follow_successors(gateway=fleet.gateway)
    return followed


def replaced(fleet, order) -> str:
    """Let the broker replace the one order of a broadcast, and read that; return the new number."""
    child = fleet.children(order)[-1]
    name: str = fleet.broker.replace(child.broker_order_id)
    fleet.poll()
    return name


def alter(fleet, name, **values):
    """Change an order inside the broker."""
    placed = fleet.broker.broker.books.orders[int(name)]
    for column, value in values.items():
        setattr(placed, column, value)
    placed.text = None


def test_the_successor_is_found_and_goes_on(fleet):
    order = resting(fleet)
    name = replaced(fleet, order)
    order.refresh_from_db()
    assert order.status == "NEEDS_AGENT"

    follow(fleet)

    old, new = fleet.children(order)
    assert (old.status, old.needs_agent, old.successor) == ("REPLACED", False, new)
    assert old.reason == f"The broker replaced it by order {name}, which is followed."
    assert (new.status, new.broker_order_id, new.attempt) == ("WORKING", name, 2)
    assert (new.contracts, new.body) == (10, "")
    order.refresh_from_db()
    assert order.status == "WORKING"
    assert not Alarm.objects.exists()


def test_after_a_partial_fill_the_fills_of_both_count(fleet, broker):
    order = resting(fleet)
    broker.fill(only(fleet, order).broker_order_id, quantity=3)
    name = replaced(fleet, order)

    follow(fleet)

    old, new = fleet.children(order)
    assert figures(old) == ("REPLACED", 3, 7)
    assert figures(new) == ("WORKING", 0, 7)
    order.refresh_from_db()
    assert order.status == "PARTIAL"
    broker.fill(name)
    fleet.poll()
    order.refresh_from_db()
    assert order.status == "FILLED"
    assert sum(fill.quantity for fill in LegFill.objects.all()) == 10


@pytest.mark.parametrize("tag", ["AA_somebody", "API_TOS:TRADE_ALL", ""])
def test_the_tag_of_the_successor_does_not_matter(fleet, tag):
    order = resting(fleet)
    name = replaced(fleet, order)
    alter(fleet, name, tag=tag)

    follow(fleet)
    fleet.poll()

    new = fleet.children(order)[1]
    assert (new.status, new.broker_order_id) == ("WORKING", name)


def test_a_successor_that_has_filled_already_is_taken_over_with_its_fills(fleet, broker):
    order = resting(fleet)
    name = replaced(fleet, order)
    broker.fill(name)

    follow(fleet)

    assert figures(fleet.children(order)[1]) == ("FILLED", 10, 0)
    order.refresh_from_db()
    assert order.status == "FILLED"


def test_one_that_is_replaced_twice_is_followed_twice(fleet, broker):
    order = resting(fleet)
    first = replaced(fleet, order)
    broker.clock(10)
    last = broker.replace(first)

    follow(fleet, times=2)

    children = fleet.children(order)
    assert [child.status for child in children] == ["REPLACED", "REPLACED", "WORKING"]
    assert children[-1].broker_order_id == last


def test_the_step_from_one_to_the_next_is_taken_once(fleet):
    order = resting(fleet)
    replaced(fleet, order)

    follow(fleet, times=3)

    assert AccountOrder.objects.filter(order=order).count() == 2


def test_a_wish_to_cancel_passes_on_to_the_successor(fleet, broker):
    order = resting(fleet)
    replaced(fleet, order)

    assert len(ask(order).asked) == 1
    follow(fleet)
    stop(fleet)

    assert fleet.statuses(order) == ["REPLACED", "CANCELED"]
    assert "WORKING" not in {one["status"] for one in broker.orders()}


def test_a_wish_to_replace_passes_on_and_orders_what_is_left(fleet, broker):
    order = resting(fleet)
    change(order)
    name = replaced(fleet, order)
    broker.fill(name, quantity=4)

    follow(fleet)
    stop(fleet)
    go_on(fleet, order)

    assert fleet.statuses(order) == ["REPLACED", "CANCELED", "WORKING"]
    assert [child.contracts for child in fleet.children(order)] == [10, 10, 6]


def test_a_successor_may_be_replaced_by_us(fleet, broker):
    order = resting(fleet)
    replaced(fleet, order)
    follow(fleet)

    change(order)
    stop(fleet)
    go_on(fleet, order)

    assert fleet.statuses(order) == ["REPLACED", "CANCELED", "WORKING"]
    assert broker.orders()[-1]["price"] == 1.25


def test_a_successor_that_is_listed_late_is_found_later(fleet):
    order = resting(fleet)
    name = replaced(fleet, order)
    alter(fleet, name, hidden_until=timezone.now().timestamp() + 3600)

    follow(fleet)
    assert fleet.statuses(order) == ["REPLACED"]
    alter(fleet, name, hidden_until=0)
    follow(fleet)

    assert fleet.statuses(order) == ["REPLACED", "WORKING"]
    assert not Alarm.objects.exists()


def test_one_that_cannot_be_found_is_told_of_once(fleet):
    order = resting(fleet)
    name = replaced(fleet, order)
    alter(fleet, name, hidden_until=timezone.now().timestamp() + 3600)

    follow(fleet, times=5)
    alarm = Alarm.objects.get(code="SUCCESSOR_UNKNOWN")
    acknowledge(alarm.pk, user=fleet.agent, now=timezone.now())
    follow(fleet)

    child = only(fleet, order)
    assert alarm.subject == f"accountorder:{child.pk}"
    assert "Look at the account" in child.reason
    assert child.needs_agent
    assert Alarm.objects.count() == 1


def test_of_several_that_fit_none_is_taken(fleet, broker):
    order = resting(fleet)
    child = only(fleet, order)
    name = broker.replace(child.broker_order_id)
    leg = {
        "instruction": "BUY",
        "quantity": 4,
        "instrument": {"symbol": "AAPL", "assetType": "EQUITY"},
    }
    twin = broker.make_order(
        fleet.accounts[0].hash_value,
        {
            "orderType": "LIMIT",
            "price": "0.90",
            "session": "NORMAL",
            "duration": "DAY",
            "orderStrategyType": "SINGLE",
            "orderLegCollection": [leg],
        },
    )
    fleet.poll()

    follow(fleet, times=3)

    assert fleet.statuses(order) == ["REPLACED"]
    words = Alarm.objects.get(code="SUCCESSOR_UNKNOWN").words
    assert name in words
    assert twin in words


def test_an_order_that_belongs_to_another_of_ours_is_no_successor(fleet):
    order = resting(fleet)
    other = resting(fleet, contracts=4)
    name = replaced(fleet, order)
    entered = fleet.broker.broker.books.orders[int(name)].entered_at
    alter(fleet, only(fleet, other).broker_order_id, entered_at=entered)

    follow(fleet)

    assert fleet.children(order)[1].broker_order_id == name


def test_while_an_equal_order_is_of_unknown_outcome_nothing_is_taken(fleet):
    order = resting(fleet)
    name = replaced(fleet, order)
    hit(fleet, "http_500")
    lost = fleet.broadcast(fleet.shares(10, limit=LIMIT), accounts=fleet.accounts[:1])
    assert fleet.statuses(lost) == ["UNKNOWN"]

    follow(fleet)
    assert fleet.statuses(order) == ["REPLACED"]
    force(only(fleet, lost), status="FAILED_TO_PLACE")
    follow(fleet)

    assert fleet.children(order)[1].broker_order_id == name


def test_an_external_order_that_turns_out_to_be_the_successor_is_external_no_more(fleet):
    order = resting(fleet)
    name = replaced(fleet, order)
    now = timezone.now()
    ExternalOrder.objects.create(
        account=fleet.accounts[0], broker_order_id=name, entered_at=now, seen_at=now
    )

    follow(fleet)

    assert not ExternalOrder.objects.exists()


def test_orders_that_were_not_replaced_cost_no_call(fleet, wire):
    resting(fleet, accounts=3)
    reads = len(wire.reads)

    assert follow(fleet).sought == 0
    assert len(wire.reads) == reads


def test_a_refused_token_is_reported(fleet, broker):
    order = resting(fleet)
    replaced(fleet, order)
    broker.fault("http_401", method="GET", path="/orders")
    login = fleet.accounts[0].login

    assert follow(fleet).refused_tokens == {login.pk: login.token.version}
    follow(fleet)

    assert fleet.statuses(order) == ["REPLACED", "WORKING"]


def test_a_cut_list_proves_nothing(fleet, broker):
    order = resting(fleet)
    replaced(fleet, order)
    broker.fault("cut_list", method="GET", path="/orders?", times=9)
    broker.fault("cut_list", method="GET", path="/orders", times=9)

    follow(fleet, times=4)

    assert fleet.statuses(order) == ["REPLACED"]
    assert not Alarm.objects.exists()
